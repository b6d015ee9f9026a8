#!/bin/bash
# A malicious host with a real QEMU guest: whatever it changes, drops or kills, the customer's data never
# reaches a guest that is not the one that was promised, and the job ends with a sentence and a code.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
HOSTILE=$PWD/$B/e2e/hostile_provider
QUESTION='SELECT region, count(*) AS n FROM sales GROUP BY region ORDER BY region'

# A query that runs for minutes, so that something can happen in the middle of it.
SLOW='WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 4000000000) SELECT count(*) FROM c'

# provider KNOB OPTION...   sets LOG, URL and PROVIDER
provider() {
    local knob=$1
    shift
    LOG=$T/provider.$knob.log
    : >"$LOG" # an earlier one's words are not this one's
    lend_sim_keys
    "$HOSTILE" "$knob" --backend sim --image "$IMAGE" --state "$T/provider" --name tester --run-relay "$@" \
        >"$LOG" 2>&1 &
    PROVIDER=$!
    PIDS+=("$PROVIDER")
    wait_for 120 said "$LOG" 'relays [1-9][0-9]*/[0-9]+ up' || return 1
    keep_sim_keys
    cp "$T/provider/sim-root" "$XDG_CONFIG_HOME/cdvm/sim-roots"
    URL=$(relay_of "$LOG")
}
# ask NAME QUESTION   output in $T/NAME.out and .err; the exit status is ask's
ask() {
    "$CDVM" ask --relay "$URL" --policy demo --accept-simulated --offer table --timeout 90 \
        --attach examples/sales.csv --out "$T/results" "$2" >"$T/$1.out" 2>"$T/$1.err"
}
gone() { ! kill -0 "$1" 2>/dev/null; }
rundirs() { find "$XDG_RUNTIME_DIR" -mindepth 3 -maxdepth 3 | wc -l; }
given() { grep -aoE 'guest was given [0-9]+' "$LOG" | grep -oE '[0-9]+$' | sort -n | tail -n 1; }
right() { grep -qE '^north +17$' "$T/$1.out" && grep -qE '^west +11$' "$T/$1.out"; }
# ended NAME CODE   the provider said so, and nothing is left of the guest
ended() {
    check "$1: the provider's last word is $2" wait_for 30 said "$LOG" "failed .* $2\$"
    check "$1: no QEMU is left" wait_for 30 has_qemus 0
    same "$1: no run directory is left" 0 "$(rundirs)"
}

pin_image || { fail "image manifests" && finish; }
mkdir -p "$T/results"

provider initrd
ask initrd "$QUESTION"
same "changed initrd: exit 1" 1 $?
check "changed initrd: the verdict is FAIL" said "$T/initrd.err" 'VERDICT FAIL'
check "changed initrd: for the launch digest" said "$T/initrd.err" '\[FAIL\].*\(snp\.measurement\)'
end_process "$PROVIDER"
check "changed initrd: one message ('end') at most was sealed to that guest" test "$(given)" -le 1

provider append
ask append "$QUESTION"
same "changed command line: exit 1" 1 $?
check "changed command line: for the launch digest" said "$T/append.err" '\[FAIL\].*\(snp\.measurement\)'
end_process "$PROVIDER"
check "changed command line: one message ('end') at most was sealed to that guest" test "$(given)" -le 1

provider inputs
ask inputs "$QUESTION"
same "fw_cfg, SMBIOS, clock: the job is done" 0 $?
check "fw_cfg, SMBIOS, clock: answered right" right inputs
check "fw_cfg, SMBIOS, clock: the launch digest is the same" said "$T/inputs.err" '\[PASS\].*\(snp\.measurement\)'
end_process "$PROVIDER"

for knob in net pci; do
    provider $knob
    ask $knob "$QUESTION"
    check "extra device ($knob): the customer is told" said "$T/$knob.err" 'guest-hardware'
    ended "extra device ($knob)" guest-hardware
    check "extra device ($knob): the agent made no key" eval "! said '$T/$knob.err' 'bind.guest_key'"
    check "extra device ($knob): it is there" said "$LOG" 'pci 1af4:10(00|02|41|45)'
    end_process "$PROVIDER"
    same "extra device ($knob): the guest was given nothing" 0 "$(given)"
done

provider flip
for block in first middle last; do
    ask "flip-$block" "$QUESTION"
    check "$block block flipped: the job fails" test $? -ne 0
    check "$block block flipped: the customer is told" said "$T/flip-$block.err" 'guest-(died|volume)'
    check "$block block flipped: no answer came" test ! -s "$T/flip-$block.out"
done
ended "flipped blocks" 'guest-(died|volume)'
end_process "$PROVIDER"
provider fliptree
ask fliptree "$QUESTION"
check "hash tree flipped: the customer is told" said "$T/fliptree.err" 'guest-(died|volume)'
end_process "$PROVIDER"

provider short-boot
ask stopped "$QUESTION" &
asking=$!
wait_for 30 has_qemus 1
frozen=$(qemus | head -n 1)
kill -STOP "$frozen"
wait "$asking"
check "stopped before hello: the customer is told" said "$T/stopped.err" 'boot-timeout'
check "stopped before hello: torn down" wait_for 30 gone "$frozen"
ended "stopped before hello" boot-timeout
end_process "$PROVIDER"

provider honest
ask killed "$SLOW" &
asking=$!
check "killed in an answer: it was being served" wait_for 60 said "$LOG" 'serving'
sleep 1.5
kill -KILL "$(qemus | head -n 1)"
wait "$asking"
check "killed in an answer: ask fails" test $? -ne 0
check "killed in an answer: the customer is told" said "$T/killed.err" 'guest-died'
ended "killed in an answer" guest-died
ask after "$QUESTION"
same "killed in an answer: the next job is served" 0 $?
check "killed in an answer: and answered right" right after
pci=$(grep -aoE '^pci [0-9a-f:]+' "$LOG" | sort -u | tr '\n' ' ')
same "the device list is exactly the allow-list" \
    "pci 1af4:1042 pci 1af4:1043 pci 8086:2918 pci 8086:29c0 " "$pci"
end_process "$PROVIDER"

provider honest --slots 2
ask one "$QUESTION" &
first=$!
ask two "$SLOW" &
second=$!
check "two jobs at once: two guests" wait_for 30 has_qemus 2
wait "$first"
same "two jobs at once: the short one ends" 0 $?
check "two jobs at once: with the right answer" right one
keys=$(grep -hoE '[0-9a-f]{64} +\(bind\.guest_key\)' "$T/one.err" "$T/two.err" | sort -u | wc -l)
wait_for 60 said "$T/two.err" 'bind.guest_key'
keys=$(grep -hoE '[0-9a-f]{64} +\(bind\.guest_key\)' "$T/one.err" "$T/two.err" | sort -u | wc -l)
same "two jobs at once: two keys" 2 "$keys"
kill -TERM "$(pgrep -P "$second")" 2>/dev/null # its cdvm: the shell around it ignores signals
wait "$second"
end_process "$PROVIDER"

provider twins --slots 2
ask twins "$QUESTION"
same "two guests from one request: the first serves" 0 $?
check "two guests from one request: right answer" right twins
check "two guests from one request: second-guest is shown" said "$T/twins.err" 'second-guest'
end_process "$PROVIDER"
least=$(grep -aoE 'guest was given [0-9]+' "$LOG" | grep -oE '[0-9]+$' | sort -n | head -n 1)
same "two guests from one request: two were booted" 2 "$(grep -ac 'guest was given' "$LOG")"
check "two guests from one request: the other got at most a refusal" test "$least" -le 1

for knob in space-root word-root; do
    rm -f "$T"/provider/ledger.db*
    provider $knob
    ask $knob "$QUESTION"
    check "$knob: refused" test $? -ne 0
    check "$knob: no job reached the provider" eval "! said '$LOG' 'creating'"
    end_process "$PROVIDER"
done
finish
