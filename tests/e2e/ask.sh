#!/bin/bash
# `cdvm ask` as scripts use it: several questions in one job, its events, Ctrl-C, and what happens when nobody
# reads, when the disk is full, when a file or an offer is not there. Three small guests.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
set -m # so that what is started here does not ignore SIGINT
[[ -f $IMAGE/table.vol ]] || skip_all "no $IMAGE/table.vol: run make image"
only table

# run NAME OPTION...   its exit code in $T/NAME.rc
run() {
    local name=$1
    shift
    "$CDVM" ask --relay "$URL" --policy demo --accept-simulated --timeout 200 --attach examples/sales.csv --out "$T/$name.d" \
        --receipt "$T/$name.json" "$@"
    echo $? >"$T/$name.rc"
}
code() { wait_for 240 test -s "$T/$1.rc" && cat "$T/$1.rc"; }
# of NAME EVENT EXPRESSION   for each such line, o
of() {
    python3 -c 'import json, sys
for o in map(json.loads, open(sys.argv[1])):
    if sys.argv[2] in ("", o["event"]): print(eval(sys.argv[3]))' "$T/$1.out" "$2" "$3" 2>/dev/null
}

pin_image || fail "image manifests"
start_relay "$T/relay.log" --port 0 || fail "relay" "$T/relay.log"
URL=$(relay_of "$T/relay.log")

# --- before anything is rented ---
refuses() { # NAME CODE SENTENCE OPTION...
    local name=$1 want=$2 sentence=$3
    shift 3
    "$CDVM" ask "$@" </dev/null >"$T/out" 2>"$T/err"
    same "$name: its code" "$want" $?
    check "$name: its sentence" said "$T/err" "$sentence"
}
refuses "no question" 64 'one QUESTION' --relay "$URL"
refuses "questions twice" 64 'one QUESTION' --relay "$URL" --questions "$T/q" again
refuses "no file of questions" 66 'cannot open' --relay "$URL" --questions "$T/none"
refuses "a file without questions" 65 'no question' --relay "$URL" --questions /dev/null
refuses "no relay" 69 'none of your relays' --relay ws://127.0.0.1:1 q
refuses "no folder for results" 73 'cannot be saved' --relay "$URL" --out "$T/none" q
echo mine >"$T/mine"
refuses "a receipt over a file" 73 'exists already' --relay "$URL" --receipt "$T/mine" q

start_provider "$T/provider.log" --relay "$URL" --slots 4 || fail "provider" "$T/provider.log"
refuses "another offer" 69 'nowhere' --relay "$URL" --policy demo --offer nowhere q
refuses "a file that is not there" 66 'none.csv' --relay "$URL" --policy demo --attach "$T/none.csv" q

# --- four jobs at once, of which one ends before its guest is there ---
mkdir "$T"/{all,stop,full,pipe}.d
printf '%s\n' 'SELECT 41 + 1 AS n' '' 'SELEKT' "SELECT 'two \\" "lines' AS words" >"$T/questions"
printf '%s\n' 'SELECT 7 * 6 AS n' 'SELECT 1' >"$T/two"
endless='WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r'
run all --json --keep-going --questions "$T/questions" >"$T/all.out" 2>"$T/all.err" &
PIDS+=($!)
("$CDVM" ask --relay "$URL" --policy demo --accept-simulated --timeout 200 --attach examples/sales.csv \
    --receipt "$T/stop.json" "$endless" >"$T/stop.out" 2>"$T/stop.err" & echo $! >"$T/stop.pid"; wait $!; echo $? >"$T/stop.rc") &
PIDS+=($!)
run full --questions "$T/two" >/dev/full 2>"$T/full.err" &
PIDS+=($!)
(run pipe --json 'SELECT 1' 2>"$T/pipe.err" | head -n 1 >"$T/pipe.out") &
PIDS+=($!)

# --- Ctrl-C ---
wait_for 120 said "$T/stop.err" 'is loaded; sending' || fail "the endless question" "$T/stop.err"
sleep 1
kill -INT "$(cat "$T/stop.pid")"
same "Ctrl-C: its code" 130 "$(code stop)"
check "the answer is stopped first" said "$T/stop.err" 'stopping the answer'
check "then the job ends, with a receipt" said "$T/stop.err" 'receipt signed by the guest covers'

# --- several questions ---
same "a failed question is the exit code, also when others follow" 65 "$(code all)"
same "one object a line, nothing else" "" "$(cat "$T/all.err")"
same "each event has its time" True "$(of all '' 'o["ms"] >= 0' | sort -u)"
same "the questions are asked in order" "1 2 3" "$(of all question 'o["question"]' | paste -sd' ')"
same "a question of two lines is one" "SELECT 'two 
lines' AS words" "$(of all question 'o["text"]' | tail -n 2)"
same "each answer is its question's" "1 None|2 bad-sql|3 None" "$(of all answer '"%d %s" % (o["question"], o.get("code"))' | paste -sd'|')"
check "the first is right" grep -q 42 <(of all answer 'o["text"]')
same "the tree is an event" SIMULATED "$(of all verdict '"SIMULATED" if o["tree"]["simulated"] else ""')"
same "tables are events" "['n']" "$(of all table 'o["columns"]' | head -n 1)"
check "files are events" grep -q 'result-1.csv' <(of all file 'o["path"]')
same "receipt and teardown are events" "end 0" "$(of all receipt 'o["reason"]') $(of all teardown 'o["exit"]')"
same "the last line is the exit code" "end 65" "$(of all '' '"%s %s" % (o["event"], o.get("exit"))' | tail -n 1)"
"$CDVM" verify "$T/all.json" --policy demo >/dev/null 2>&1
same "one receipt for all of them" 0 $?

# --- what is remembered of it ---
"$CDVM" offers --relay "$URL" --policy demo --json >"$T/offers" 2>/dev/null
same "the seller is known by what was verified" simulated \
    "$(python3 -c 'import json, sys; print(json.loads(sys.stdin.readline())["proven"]["state"])' <"$T/offers")"
check "a machine that was accepted, too" grep -q '"t":"last"' "$XDG_STATE_HOME/cdvm/verdicts"

# --- nobody reads ---
same "a reader that leaves: its code" 74 "$(code pipe)"
check "it is said" said "$T/pipe.err" 'nobody reads standard output'

# --- a full disk ---
same "no room for the answer: its code" 74 "$(code full)"
check "it is said" said "$T/full.err" 'No space left'
kept=$(find "$XDG_STATE_HOME/cdvm/rescued" -name 'answer*.txt' | head -n 1)
check "and the answer is kept" grep -q 42 "$kept"
same "for its owner alone" 600 "$(stat -c %a "$kept")"
check "what follows is not asked" test ! -e "$T/full.d/result-2.csv"

finish
