#!/bin/bash
# The provider's own life with real guests: crash, restart, second instance, full house, orderly end, and
# what it refuses to start with.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
QUESTION='SELECT count(*) AS n FROM sales'
SLOW='WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 4000000000) SELECT count(*) FROM c'

ask() { # NAME QUESTION
    "$CDVM" ask --relay "$URL" --policy demo --accept-simulated --offer table --timeout 90 \
        --attach examples/sales.csv --out "$T/results" "$2" >"$T/$1.out" 2>"$T/$1.err"
}
dead() { ! kill -0 "$1" 2>/dev/null; }
rundirs() { find "$XDG_RUNTIME_DIR" -mindepth 3 -maxdepth 3 | wc -l; }
served() { wait_for 60 said "$1" '  serving '; }
# refused NAME EXIT WORDS OPTION...   the provider does not start, and says why in one line
refused() {
    local name=$1 want=$2 words=$3
    shift 3
    "$CDVM" provider "$@" >"$T/refused" 2>&1
    same "$name: exit $want" "$want" $?
    check "$name: said in words" said "$T/refused" "$words"
}

pin_image || { fail "image manifests" && finish; }
mkdir -p "$T/results"
start_relay "$T/relay.log" --port 0 || fail "relay" "$T/relay.log"
URL=$(relay_of "$T/relay.log")

start_provider "$T/first.log" --relay "$URL" || fail "provider" "$T/first.log"
refused "second instance" 75 'another provider runs' --relay "$URL" --image "$IMAGE" --state "$T/provider"
ask crash "$SLOW" &
asking=$!
served "$T/first.log"
guest=$(qemus)
kill -KILL "$PROVIDER"
check "crash: the guest dies with its provider" wait_for 30 dead "$guest"
same "crash: its run directory is left for the next start" 1 "$(rundirs)"
start_provider "$T/second.log" --relay "$URL" || fail "restart" "$T/second.log"
check "restart: the lost job is closed" said "$T/second.log" 'failed .*guest-died: left over'
same "restart: the run directory is gone" 0 "$(rundirs)"
wait "$asking"
check "restart: ask fails" test $? -ne 0
check "restart: the customer is told" said "$T/crash.err" 'guest-died'
ask after "$QUESTION"
same "restart: the next job is served" 0 $?
check "restart: the offer is still the same one" eval "! said '$T/after.err' 'price-changed|unknown-offer'"

ask term "$SLOW" &
asking=$!
wait_for 60 eval "(( \$(grep -ac '  serving ' '$T/second.log') == 2 ))"
guest=$(qemus)
start=$SECONDS
kill -TERM "$PROVIDER"
wait "$PROVIDER"
same "SIGTERM: exit 0" 0 $?
check "SIGTERM: no guest is left" dead "$guest"
check "SIGTERM: in good time" test $((SECONDS - start)) -lt 40
same "SIGTERM: no run directory is left" 0 "$(rundirs)"
wait "$asking"
check "SIGTERM: the guest signed its receipt" said "$T/term.err" 'receipt signed by the guest'
check "SIGTERM: the provider signed the teardown" said "$T/term.err" 'machine gone'

start_provider "$T/full.log" --relay "$URL" --slots 1 --queue 1 || fail "provider" "$T/full.log"
ask one "$QUESTION" &
first=$!
wait_for 30 said "$T/full.log" 'booting'
ask two "$QUESTION" &
second=$!
wait_for 30 said "$T/full.log" 'queued'
ask three "$QUESTION"
check "full house: the third is refused" said "$T/three.err" 'no-capacity'
wait "$first"
same "full house: the first is served" 0 $?
wait "$second"
same "full house: the second waited and is served" 0 $?
check "full house: and was told so" said "$T/two.err" 'queued'
check "full house: one guest at a time" wait_for 30 has_qemus 0
end_process "$PROVIDER"

# --once: ends by itself.
"$CDVM" provider --image "$IMAGE" --state "$T/provider" --relay "$URL" --once 1 >"$T/once.log" 2>&1 &
PROVIDER=$!
PIDS+=("$PROVIDER")
wait_for 60 said "$T/once.log" 'relays 1/1'
ask once "$QUESTION"
wait "$PROVIDER"
same "--once 1: exit 0 after one job" 0 $?

# What it does not start with.
chmod 644 "$T/provider/key"
refused "readable key" 77 'can be read by others' --relay "$URL" --image "$IMAGE" --state "$T/provider"
chmod 600 "$T/provider/key"
refused "no relay" 78 'no relay' --image "$IMAGE" --state "$T/provider"
refused "unknown option" 64 "'--bogus'" --bogus
refused "unknown backend" 78 "backend 'sgx'" --backend sgx --relay "$URL"
refused "no image" 71 'No such file' --relay "$URL" --image "$T/nothing" --state "$T/provider"
cp -r "$IMAGE" "$T/image"
printf 'x' | dd of="$T/image/kernel" bs=1 seek=1000000 conv=notrunc 2>/dev/null
"$CDVM" image inspect "$T/image" >"$T/inspect" 2>&1
same "image inspect: exit 1 for a changed kernel" 1 $?
refused "changed kernel" 65 'kernel is not the one' --relay "$URL" --image "$T/image" --state "$T/provider"
cp "$IMAGE/kernel" "$T/image/kernel"
printf 'x' | dd of="$T/image/table.vol" bs=1 seek=2000000 conv=notrunc 2>/dev/null
refused "changed volume" 65 'hash tree' --relay "$URL" --image "$T/image" --state "$T/provider"
"$CDVM" image inspect "$IMAGE" >"$T/inspect" 2>&1
same "image inspect: exit 0 for the image" 0 $?
check "image inspect: names the workload's root" said "$T/inspect" "$(cat "$IMAGE/table.volume")"
finish
