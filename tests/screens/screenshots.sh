#!/bin/bash
# Pictures of a real job, for the README and for review: each is screenshots/NAME.png with its text in
# screenshots/NAME.txt beside it.
# usage: screenshots.sh SHOT_PROGRAM
# shellcheck source=tests/e2e/terminal.bash
. "$(dirname "$0")/../e2e/terminal.bash"
shot=$PWD/$1
to=$PWD/screenshots
mkdir -p "$to"

take() { # take NAME
    sleep 0.4
    tm capture-pane -epN -t t | "$shot" "$(flag pane_width)x$(flag pane_height)" >"$T/$1.svg"
    rsvg-convert -o "$to/$1.png" "$T/$1.svg"
    screen >"$to/$1.txt"
    echo "screenshots/$1.png"
}
must() { wait_for "${2:-20}" shows "$1" || { screen; echo "never came: $1" >&2; exit 1; }; }

# As on a machine with nothing set: everything under the home folder.
export HOME=$T/home XDG_CONFIG_HOME=$T/home/.config XDG_DATA_HOME=$T/home/.local/share
export XDG_STATE_HOME=$T/home/.local/state
mkdir -p "$XDG_CONFIG_HOME/cdvm" "$XDG_DATA_HOME" "$XDG_STATE_HOME"
only table
pin_image "$IMAGE" || exit 1
start_provider "$T/provider.log" --name "local simulator" --run-relay --relay-port 0 || exit 1
url=$(relay_of "$T/provider.log")
cp examples/sales.csv "$T/"
start 100x30
must 'No relay is configured'
take first-run
stop
start 100x30 --relay "$url" --policy demo --out "$HOME"
must 'SIMULATED'
sleep 1
take offers
text '/table'
keys Enter
must '1 shown'
keys Enter
must 'REQUIRED'
take offer
keys Enter
must 'Start a guest'
keys y
must 'booting +after'
sleep 2
take boot
must VERDICT 200
keys Down
keys Down
take attest
keys a
must 'Type simulated'
text simulated
take accept
keys Enter
must 'Ready: table' 60
text '/attach sales.csv'
keys Enter
must 'Send this file'
take send-guard
keys y
must 'is with the guest'
text "SELECT region, count(*) AS sales, round(sum(amount), 2) AS amount FROM sales GROUP BY region ORDER BY amount DESC"
keys Enter
must 'File 1'
text '/get'
keys Enter
must 'Save this file'
keys Enter
must 'Saved'
text 'SELECT product, max(amount) AS best FROM sales GROUP BY product'
keys Enter
must 'File 2'
text 'and which product?'
take chat
keys C-c
keys F1
must 'Help'
take help
keys Escape
sleep 0.3
text '/end'
keys Enter
must 'End the job'
keys y
must 'its folder was removed' 60
keys s
must saved
take end
tm resize-window -t t -x 60 -y 16
keys 3
must VERDICT
take attest-60x16
stop

# The chat: three private documents, a question, the passage that the answer came from. The model answers on an
# emulated processor where there is no KVM: minutes.
[[ -f $IMAGE/chat.offer ]] || { echo "no chat in the image: its pictures stay as they were" >&2 && exit 0; }
cp examples/lease.md examples/medical-note.txt examples/ledger-note.txt "$T/"
start 100x30 --relay "$url" --policy demo --out "$HOME"
must 'SIMULATED'
text '/chat'
keys Enter
must '1 shown'
keys Enter
must 'REQUIRED'
take chat-offer
keys Enter
keys y
must VERDICT 300
keys G
keys Right
keys Down
keys Down
keys Down
must 'model volume, by its sha256 root'
take attest-model
keys a
must 'Type simulated'
text simulated
keys Enter
must 'Model: ' 600
text '/attach lease.md medical-note.txt ledger-note.txt'
keys Enter
must 'Send these 3 files'
take send-guard-three
keys y
must 'ledger-note.txt is with the guest' 600
text 'What is the patient allergic to?'
keys Enter
must 'guest: .* left' 600
take chat-reading
must 'source \[1\]' 900
take chat-sources
keys M-s
must 'Passage 1 of'
take passage
