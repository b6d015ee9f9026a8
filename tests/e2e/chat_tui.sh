#!/bin/bash
# Documents and a chat at the screen: several files at once, progress, an answer that
# streams without stealing the scroll, its passages and their place in the document, stop, a second
# question, the same again as a draft in an editor, search, the files, the clipboard, the conversation as text,
# the model with its size. In a real guest; tests/e2e/reader.c stands in for the model, whose own
# tests are elsewhere.
# shellcheck source=tests/e2e/terminal.bash
. "$(dirname "$0")/terminal.bash"

[[ -s $IMAGE/initrd && -x $B/e2e/reader ]] || skip_all "no guest image or no build/e2e/reader (make image test-programs)"

reader_image
pin_image "$IMAGE" || exit 1
start_provider "$T/provider.log" --run-relay --relay-port 0 || exit 1
url=$(relay_of "$T/provider.log")
mkdir "$T/out"
cp examples/lease.md examples/medical-note.txt examples/ledger-note.txt "$T/"

# An editor that says how private its file is; a clipboard that can be read.
cat >"$T/editor" <<'EDITOR'
#!/bin/sh
stat -c '%a' "$1" "${1%/*}" | tr '\n' ' ' >"$0.saw"
printf ', says my editor\n' >>"$1"
EDITOR
chmod 700 "$T/editor"
export VISUAL=$T/editor
echo 'set -g set-clipboard on' >>"$T/tmux.conf"

start 100x30 --relay "$url" --policy demo --out "$T/out" --draft-dir "$XDG_RUNTIME_DIR"
expect "the offer is a chat without a model of its own" 'double without a model; 1 vcpu, 512 MiB; job kind 5050' 20
keys Enter
expect "detail" 'Model +none'
keys p
expect "a parameter may be set" 'the provider can read it'
text 'system=Be brief.'
keys Enter
expect "it is shown" 'Parameter +system = Be brief.'
keys Enter
keys y
expect "the report was checked here" 'VERDICT  SIMULATED' 200
keys G
keys Right
expect "the tree has the workload's root" "workload volume, by its sha256 root"
keys a
text simulated
keys Enter
expect "the model is named with its size" 'double-of-a-model, 260 K parameters, F32 +small: go by the passages' 60
expect "and what that means" 'This model is very small'
expect "the emulated processor is told" 'processor is emulated'

text '/attach lease.md medical-note.txt ledger-note.txt'
keys Enter
expect "three files, one question" 'Send these 3 files, [0-9]+ bytes'
expect "each with its hash" "medical-note.txt, .* sha256 $(sha256sum examples/medical-note.txt | cut -c1-12)"
keys y
for f in lease.md medical-note.txt ledger-note.txt; do expect "the guest has $f" "$f is with the guest" 30; done
text 'Which allergies are known for the patient?'
keys Enter
expect "progress with rate and rest" 'guest: [0-9]+ of 800 tokens, [0-9.]+/s, left [0-9]+ s, reading the prompt'
expect "the answer streams" 'answering, [0-9]+ words'
expect "its source is named" '\[1\] medical-note.txt, at byte [0-9]+: "He is allergic to penicillin' 30
keys M-s
expect "the passage in its document" '^ > He is allergic to penicillin'
expect "with what stands before" 'Seen for tiredness and headaches'
expect "and after" 'Plan: iron, 100 milligrams'
keys n
expect "the next passage" 'Passage 2 of 2'
keys Escape
expect "back in the chat" 'Enter send'

text 'Tell me slowly about the notice of the lease'
keys Enter
expect "a second question" 'answering, [0-9]+ words' 30
wait_for 60 shows 'answering, [0-9]{3} words'
keys PPage
keys PPage
expect "reading above while it streams, the newest below" 'v [0-9]+ new'
top=$(screen | sed -n 6p)
sleep 1.5
same "the view stays" "$top" "$(screen | sed -n 6p)"
keys C-c
keys M-'>'
expect "it stops when told to" 'Not answered \(cancelled\)' 30
expect "with its passages all the same" 'at byte [0-9]+: "Either side may end this lease'
expect "the question says so" 'Tell me slowly about the notice of the lease +stopped'

keys M-e
expect "the question as a draft" '^ > Tell me slowly about the notice of the lease'
keys C-x C-e
expect "the draft comes back from an editor" '^ > Tell me slowly .* lease, says my editor'
same "nobody else could read it" "600 700 " "$(cat "$T/editor.saw")"
same "and nothing of it is left" "" "$(find "$XDG_RUNTIME_DIR" -name 'cdvm-draft*')"
keys C-c
keys C-f
text PENICILLIN
expect "found, whatever its case" 'find: PENICILLIN +[0-9]+ found'
keys Enter
expect "from place to place" 'n older'
keys Escape
keys M-5
expect "the files, both ways" 'up +medical-note.txt +[0-9.]+ (K?B) +with the guest'
keys c
expect "a hash goes to the clipboard" 'is with your terminal'
same "this one" "$(sha256sum examples/lease.md | cut -c1-64)" "$(tm show-buffer)"
keys 4
text "/save $T/talk.txt"
keys Enter
expect "the conversation is saved" 'Saved this conversation'
same "readable by its owner only" 600 "$(stat -c %a "$T/talk.txt")"
check "as it was said" grep -q 'you .*Which allergies are known for the patient?  (answered)' "$T/talk.txt"

echo 'other words' >"$T/lease.md"
keys M-s
expect "a file that changed is not shown in its place" 'The passage alone: your file has changed since'
keys Escape
expect "back again" 'Enter send'
text '/end'
keys Enter
keys y
expect "the receipt covers it" 'it covers everything you sent' 30
keys C-c
keys C-c
wait_for 30 shows 'rc='
stop

end_process "$PROVIDER"
finish
