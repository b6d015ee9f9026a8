#!/bin/bash
# A person at the screen: chooses an offer, reads the tree, accepts, attaches two files, asks, stops an
# answer, resizes, saves, ends the job and leaves; and what may not leave this machine does not.
# shellcheck source=tests/e2e/terminal.bash
. "$(dirname "$0")/terminal.bash"

[[ -s $IMAGE/initrd ]] || skip_all "there is no guest image (make image)"
SECRET=plaintext-that-stays-here-8f2c
log=$T/provider.log

only table
pin_image "$IMAGE" || exit 1
start_provider "$log" --run-relay --relay-port 0 || exit 1
url=$(relay_of "$log")
mkdir "$T/out"
cp examples/sales.csv "$T/sales.csv"
printf 'id,note\n1,late\n2,on time\n' >"$T/notes.csv"

# From the offers to the guest's verdict.
rent() {
    expect "$1: the offer is there, and simulated" '\[S\].*SIMULATED'
    keys Enter
    expect "$1: detail says what will be required" 'REQUIRED BEFORE ANYTHING OF YOURS LEAVES'
    keys Enter
    expect "$1: starting asks first" 'Start a guest\?'
    keys y
    expect "$1: the screen of the job" 'PROVIDER CLAIMS'
}

start 80x24 --relay "$url" --policy demo --out "$T/out"
expect "offers come" 'local|tester' 20
text '/table'
keys Enter
expect "the filter leaves the table" 'filter: table .* 1 shown'
keys Enter
expect "detail" 'Enter start a guest'
keys Enter
expect "a question" 'y / N'
keys Enter
sleep 0.5
same "Enter is no: the provider heard nothing" 0 "$(grep -c 'creating' "$log")"
keys Escape
rent "first job"
expect "the report was checked here" 'VERDICT  SIMULATED' 200
expect "nothing was sent yet" 'nothing sent yet: a decides'
expect "the banner" 'SIMULATED  this guest is not sealed'

keys 4
expect "chat before the decision" 'not sent: the verdict needs your decision'
text "$SECRET"
keys Enter
sleep 0.3
expect "a draft that may not go stays" "> $SECRET"
text ' /attach'
keys C-c
keys Escape
expect "back at the tree" 'VERDICT'
keys a
expect "simulated: it wants the word" 'Type simulated and press Enter'
text accept
keys Enter
expect "another word does nothing" 'that is not the word'
keys a
expect "asked again" 'Accept a SIMULATED guest'
text simulated
keys Enter
expect "accepted, loaded, ready" 'Ready: table' 60

text '/attach sal'
keys Tab
expect "a path is completed" ': /attach sales.csv'
keys Enter
expect "the guard shows the hash" "$(sha256sum "$T/sales.csv" | cut -c1-40)"
keys Enter
text '/attach sales.csv'
keys Enter
expect "asked once more" 'Send this file\?'
keys y
expect "the guest has the file" 'sales.csv is with the guest' 30
text '/attach notes.csv'
keys Enter
expect "second file" 'Send this file\?'
keys y
expect "the guest has both" 'notes.csv is with the guest' 30

text 'SELECT region, count(*) AS n FROM sales GROUP BY region ORDER BY n'
keys Enter
expect "a table" "^ +south +$(grep -c ',south,' examples/sales.csv)" 30
expect "a file came" 'File 1: result-1.csv'
text '/get'
keys Enter
expect "a name is proposed" '> .*out/result-1.csv'
keys Enter
expect "it is saved" 'Saved .*out/result-1.csv'
same "readable by its owner only" 600 "$(stat -c %a "$T/out/result-1.csv")"
same "it holds what the screen showed" "south,$(grep -c ',south,' examples/sales.csv)" \
    "$(grep south "$T/out/result-1.csv" | tr -d '\r')"

# Two megabytes of paste with newlines and escape bytes: a draft, and nothing else.
talk() { screen | sed -n '5,/^─/p'; } # from under the head to the rule above the draft
# shellcheck disable=SC2317 # called through wait_for
no_draft() { screen | grep -A 1 -E '^ > *$' | grep -q '^─'; }
before=$(talk)
yes $'paste\e[201~ line with an end mark\r' | head -c 2000000 | tm load-buffer -
tm paste-buffer -p -t t
expect "what does not fit is said" 'there is no room for more' 120
check "the program is alive" kill -0 "$(cdvm_pid)"
keys C-c
check "Ctrl-C drops the draft" wait_for 120 no_draft
sleep 0.5
same "a paste sent nothing" "$before" "$(talk)"

text 'WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 900000000) SELECT max(n) FROM c'
keys Enter
expect "an answer is on its way" 'waiting for the answer'
tm resize-window -t t -x 60 -y 16
expect "at 60x16 too" '\[4 Chat\].*'
expect "with its banner" 'SIMULATED  this guest is not sealed'
tm resize-window -t t -x 80 -y 24
expect "and back" '^ 1 Offers ' # what is one page up in the small window would be in sight in the large one
keys C-c
expect "it stops when told to" 'cancelled' 20
keys PPage
expect "scrolling up says what is below" 'the newest|v [0-9]+ new'
keys M-'>'

keys F3
expect "the tree again" 'VERDICT  SIMULATED PASS'
keys s
expect "the bundle is saved" 'saved .*json'
bundle=$(find "$XDG_DATA_HOME/cdvm/receipts" -name '*.json' | head -n 1)
same "for its owner only" 600 "$(stat -c %a "$bundle")"
keys F4
text '/end'
keys Enter
expect "ending asks" 'End the job\?'
keys y
expect "the receipt covers everything" 'it covers everything you sent' 30
expect "the provider says it tore down" 'its folder was removed' 30
expect "what stays is listed" 'out/result-1.csv'
keys Escape
expect "the ended job stays in the list" '^>[0-9a-f]{4} ended +\[S\] SIMULATED'
keys Escape
expect "proven by this machine now" '\[S\] [0-9]+ [sm]'

# Panic in the middle of a second job.
rent "second job"
wait_for 60 said "$log" 'booting'
keys C-q
sleep 0.2
keys C-q
expect "panic: gone at once" 'rc=0' 5
absent "panic: nothing stays on the screen" 'SIMULATED|PROVIDER CLAIMS'
check "terminal settings are as before" cmp "$T/before" "$T/after"

check "no guest is left" wait_for 60 has_qemus 0
end_process "$PROVIDER"
same "the secret draft is nowhere" 0 "$(grep -rlaF "$SECRET" "$T/provider" "$log" "$XDG_STATE_HOME" "$XDG_DATA_HOME" | wc -l)"
same "the memory of verdicts holds one line" 1 "$(wc -l <"$XDG_STATE_HOME/cdvm/history")"
finish
