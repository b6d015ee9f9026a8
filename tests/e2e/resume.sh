#!/bin/bash
# The program is killed in the middle of a job, started again, and picks the job up with its passphrase:
# the same guest answers, and its receipt covers what was said before and after.
# shellcheck source=tests/e2e/terminal.bash
. "$(dirname "$0")/terminal.bash"

[[ -s $IMAGE/initrd ]] || skip_all "there is no guest image (make image)"
log=$T/provider.log
word=a-passphrase-of-some-length

only table
pin_image "$IMAGE" || exit 1
start_provider "$log" --run-relay --relay-port 0 || exit 1
url=$(relay_of "$log")
cp examples/sales.csv "$T/sales.csv"
left() { find "$XDG_STATE_HOME/cdvm/resume" -name '*.job' 2>/dev/null; }
person() { start 80x24 --relay "$url" --policy demo; }
killed() { # the program dies without a word
    kill -9 "$(cdvm_pid)"
    expect "killed in the middle" 'rc=137' 5
    stop
}

person
expect "the offer is there" '\[S\].*SIMULATED' 20
keys Enter
keys Enter
keys y
expect "the report was checked here" 'VERDICT  SIMULATED' 200
keys a
text simulated
keys Enter
expect "ready" 'Ready: table' 60
same "without a passphrase nothing is on disk" "" "$(left)"
text /keep
keys Enter
expect "a passphrase is asked for, and not shown" '\[ +\] not shown'
text "$word"
expect "its length is not shown either" '\[\*{16}\] not shown'
keys Enter
text "$word"
keys Enter
expect "it is set" 'survive a crash'
text '/attach sales.csv'
keys Enter
keys y
expect "the guest has the file" 'sales.csv is with the guest' 30
text 'SELECT count(*) AS before FROM sales'
keys Enter
expect "an answer" "^ +$(($(wc -l <examples/sales.csv) - 1))" 30
sleep 1.5
same "one file, for its owner only" 600 "$(stat -c %a "$(left)")"
check "nothing in it is in the clear" \
    bash -c "! grep -aqE 'sales|SELECT|$word' '$(left)'"
killed
check "the file is there" test -s "$(left)"

person
expect "the next start asks" 'Pick this job up again'
keys y
text "not $word"
keys Enter
expect "a wrong passphrase is told" 'the passphrase is wrong'
text "$word"
keys Enter
expect "the guest is verified anew, and ready" 'Ready: table' 30
expect "and said so" 'Picked up again after this program ended'
keys F3
expect "the tree is there again" 'VERDICT  SIMULATED PASS'
keys F4
text 'SELECT count(*) + 1000 AS after FROM sales'
keys Enter
expect "the same guest, the same file, another answer" \
    "^ +$(($(wc -l <examples/sales.csv) + 999))" 30

# Once more, with a question that has just gone out.
text 'SELECT count(*) + 2000 AS late FROM sales'
keys Enter
killed
person
expect "the next start asks once more" 'Pick this job up again'
keys y
text "$word"
keys Enter
expect "the answer that was on its way" "^ +$(($(wc -l <examples/sales.csv) + 1999))" 30
text '/end'
keys Enter
keys y
expect "the receipt covers everything" 'it covers everything you sent' 30
same "nothing is left on disk" "" "$(left)"
same "one guest served it all" 1 "$(grep -c ' creating ' "$log")"
keys C-q
sleep 0.2
keys C-q
expect "and out" 'rc=0' 10
