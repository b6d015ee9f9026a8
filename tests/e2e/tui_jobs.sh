#!/bin/bash
# Two jobs in one program: one answers while the other is looked at. Nothing takes the screen, a draft stays
# with its job, news are marked, and the terminal is told of states alone. Leaving ends both.
# shellcheck source=tests/e2e/terminal.bash
. "$(dirname "$0")/terminal.bash"

[[ -s $IMAGE/initrd ]] || skip_all "there is no guest image (make image)"
log=$T/provider.log

only table
pin_image "$IMAGE" || exit 1
start_provider "$log" --run-relay --relay-port 0 --slots 2 || exit 1

rent() { # rent NAME   from the offers
    expect "$1: the offer is there" '\[S\].*SIMULATED'
    keys Enter
    expect "$1: detail" 'Enter start a guest'
    keys Enter
    expect "$1: asked" 'Start a guest\?'
    keys y
    expect "$1: its way is shown" 'PROVIDER CLAIMS +WE OBSERVED +TOOK'
}
# decide NAME ID   the cursor of the list is on it: it may be waiting for the decision already, or come to it
decide() {
    wait_for 200 shows "^>$2 decision|VERDICT  SIMULATED"
    shows 'VERDICT  SIMULATED' || keys Enter
    expect "$1: verified here" 'VERDICT  SIMULATED' 200
    keys a
    expect "$1: it wants the word" 'Type simulated and press Enter'
    text simulated
    keys Enter
}
job_id() { screen | grep -oE '^>[0-9a-f]{4}' | tr -d '>'; }

cp examples/sales.csv "$T/"
start 80x24 --relay "$(relay_of "$log")" --policy demo --out "$T" --notify osc777
tm pipe-pane -t t "cat >'$T/raw'"
rent first
first=$(job_id)
keys M-1
rent second
second=$(job_id)
check "two jobs in the list" shows "^ $first "
keys M-p
expect "the cursor goes to the first" "^>$first "
decide first "$first"
expect "first: ready" 'Ready: table' 60
text '/attach sales.csv'
keys Enter
expect "first: the guard" 'Send this file\?'
keys y
expect "first: the guest has the file" 'sales.csv is with the guest' 30
text 'a draft for the first guest'
keys M-2
expect "its state and its verdict in the list" "^>$first ready +\[S\] SIMULATED"
keys Enter
expect "the first one's chat, and which job it is" "\[4 Chat $first\]"
expect "with the draft that was left there" '> a draft for the first guest'
keys C-c
text 'WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 2000) SELECT max(n) AS deepest FROM c'
keys Enter
expect "the first is asked" 'waiting for the answer'
keys M-n
expect "over to the second" "\[(4 Chat|3 Attest) $second\]"
absent "no draft of the first here" deepest
expect "the first has news, and the second is still on the screen" "2( Jobs)?\+1 .*\[(4 Chat|3 Attest) $second\]" 200
keys M-2
expect "the answer is marked in the list" "^ $first ready .*\+[0-9]"
decide second "$second"
expect "second: ready" 'Ready: table' 60
absent "it has no answer of the first" deepest
keys M-a
expect "the next news: the first one's answer" '^ +2000 *$'
expect "nothing is new elsewhere" "2( Jobs)? +3( Attest)? +\[4 Chat $first\]"

states=$(grep -aoE $'\033''\]777;notify;cdvm;[^'$'\033'']*' "$T/raw" | cut -d';' -f4 | sort | paste -sd,)
wanted=$(printf 'job %s needs your decision\njob %s is ready\n' "$first" "$first" "$second" "$second" | sort | paste -sd,)
same "the desktop was told of states, and of nothing else" "$wanted" "$states"
same "and so was the bell" 4 "$(tr -cd '\007' <"$T/raw" | wc -c)"

keys M-1
keys q
expect "leaving says how many are alive" '2 guests are alive'
keys n
keys M-2
keys d
expect "one that is alive is not forgotten" 'its guest is alive'
keys x
keys y
expect "the first: its receipt covers everything" 'it covers everything you sent' 30
keys Escape
expect "it stays in the list" "^>$first ended"
keys d
expect "forgetting asks" 'Forget this job\?'
keys y
expect "one is left" "^>$second ready"
absent "and the other is gone" "$first"
keys 1 q
expect "leaving ends the other" 'A guest is alive'
keys y
wait_for 30 shows 'rc='
expect "it leaves" 'rc=0'
check "terminal settings are as before" cmp "$T/before" "$T/after"
check "no guest is left" wait_for 60 has_qemus 0
end_process "$PROVIDER"
finish
