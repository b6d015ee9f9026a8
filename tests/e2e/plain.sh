#!/bin/bash
# --plain: the whole story in lines, through a pipe and on a terminal; every action by a typed command, the
# same questions as on the screens, and nothing but lines of text out.
# shellcheck source=tests/e2e/terminal.bash
. "$(dirname "$0")/terminal.bash"

[[ -s $IMAGE/initrd ]] || skip_all "there is no guest image (make image)"
log=$T/provider.log
only table
pin_image "$IMAGE" || exit 1
start_provider "$log" --run-relay --relay-port 0 || exit 1
url=$(relay_of "$log")
mkdir "$T/out"
cp examples/sales.csv "$T/sales.csv"

# All lines are there from the beginning: each waits for the end of what those before it began.
cat >"$T/lines" <<LINES
/offers
/offer 1
/start
y
SELECT 1
/why snp.chain.root
/accept
yes
/accept
simulated
/show
/attach $T/sales.csv

/attach $T/sales.csv
y
/files
SELECT region, count(*) AS n FROM sales GROUP BY region ORDER BY n
/get

/files
/keys
/end
y
/receipt
/quit
LINES
# shellcheck disable=SC2002 # a pipe is what is tested
cat "$T/lines" | "$CDVM" --plain --relay "$url" --policy demo --out "$T/out" >"$T/said" 2>"$T/err"
same "it leaves when told to" 0 $?
same "nothing is said beside" '' "$(cat "$T/err")"

says() { check "$1" grep -qE -- "$2" "$T/said"; }
says "the offers, with key and proof" '^1\. SIMULATED: table, table, by .* with key ([0-9a-f]{4} ){3}[0-9a-f]{4}\. Proven here: never'
says "the offer in full" 'REQUIRED'
says "starting asks" '^Question: .*Start a guest'
says "what the provider says is told as such" 'the provider says: booting'
says "what was seen from here too" 'seen from here: report'
says "the verdict, and that it is simulated" 'VERDICT SIMULATED PASS under the policy demo'
says "nothing goes before the decision" '^not sent: the verdict needs your decision'
says "a line of the tree in full" '^SIMULATED PASS: root key'
says "accepting wants the word" '^Type simulated'
says "another word does nothing" 'that is not the word'
says "ready" 'Ready: table'
says "a file asks first, with its hash" "$(sha256sum "$T/sales.csv" | cut -c1-40)"
same "no is the default: asked twice, sent once" 1 "$(grep -c 'is with the guest' "$T/said")"
says "the answer, line by line" "^south +$(grep -c ',south,' examples/sales.csv)"
says "files that came have numbers" '^file 1: result-1.csv, .*, whole, saved as '
same "saved for its owner only" 600 "$(stat -c %a "$T/out/result-1.csv")"
says "the keys of the screen" '^Enter: send the text'
says "the receipt covers everything" 'it covers everything you sent'
says "the teardown, as the provider's word" 'its word, which nothing here can check'
same "no control character, no box, no escape" 0 "$(grep -cP '[\x00-\x08\x0b-\x1f\x7f]|[─-╿]|\x{009b}' "$T/said")"

# On a terminal: the typed text stays last, a paste sends nothing, and no settings are left behind.
start 80x24 --plain --relay "$url" --policy demo
expect "terminal: offers are announced" '^1 offers from 1 of 1 relays'
is "terminal: no alternate screen" alternate_on=0 cursor_flag=1
text '/offer'
expect "terminal: what is typed stands at the prompt" '^> /offer$'
text 's'
keys Enter
expect "terminal: the command is run" '^1\. SIMULATED: table'
printf 'one\ntwo\e[201~three\r' | tm load-buffer -
tm paste-buffer -p -t t
expect "terminal: a paste waits for Enter" '^twothree'
sleep 0.5
same "terminal: a paste sent nothing" 0 "$(screen | grep -c 'There is no guest')"
keys Enter
expect "terminal: Enter sends" 'There is no guest to send this to'
text '/offer 1'
keys Enter
text '/start'
keys Enter
expect "terminal: a question" '^y/N>'
printf 'y' | tm load-buffer -
tm paste-buffer -p -t t
keys Enter
expect "terminal: a paste answers nothing" 'A paste answers nothing'
text 'n'
keys Enter
keys C-c
expect "terminal: Ctrl-C says what the next one does" 'Ctrl-C again leaves at once'
keys C-c
wait_for 30 test -s "$T/after"
check "terminal: settings are as before" cmp "$T/before" "$T/after"
stop

# What cannot be drawn on gets lines by itself.
typed() { for line in "$@"; do sleep 0.3 && printf %s "$line" && sleep 0.3 && printf '\r'; done; }
out=$(typed /show /quit | TERM=dumb timeout 20 script -qec "$CDVM tui" /dev/null 2>&1 | tr -d '\r')
check "TERM=dumb: lines" grep -q 'No relay is configured' <<<"$out"
same "TERM=dumb: no escape at all" 0 "$(grep -c $'\e' <<<"$out")"
finish
