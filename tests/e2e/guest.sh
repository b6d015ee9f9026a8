#!/bin/bash
# The guest alone, in a real QEMU, with build/e2e/peer as its host and customer: what it answers, what it
# refuses. How its workload is held: sandbox.sh; what its host may try: host_inputs.sh.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"

# shellcheck source=/dev/null
. tests/e2e/guest.bash

# --- a job ---
mkdir "$T/results"
start
job -f examples/sales.csv -q "SELECT region, count(*) AS n, round(sum(amount), 2) AS total FROM sales GROUP BY region ORDER BY region" \
    -q "SELEC 1" -q "ATTACH '/in/0' AS x" -o "$T/results"
same "states in order" "booted,keyed,attested,accepted,ready,wiping" "$(states)"
same "REPORT_DATA binds key, customer, nonce and job" "HELLO binding right" "$(line HELLO)"
same "AUTH is signed" "AUTH signed" "$(line AUTH)"
awk -F, 'NR > 1 {n[$2]++; s[$2] += $5} END {for (r in n) printf "%s,%d,%.2f\n", r, n[r], s[r]}' examples/sales.csv | sort >"$T/want"
tail -n +2 "$T/results/result-1.csv" | awk -F, '{printf "%s,%d,%.2f\n", $1, $2, $3}' >"$T/got"
check "the answer is right" cmp -s "$T/want" "$T/got"
check "wrong SQL is answered with its code" grep -q 'ANSWER bad-sql' "$T/said"
check "hostile SQL is answered with its code" grep -q 'ANSWER denied' "$T/said"
check "the receipt covers all" grep -qE 'RECEIPT end in [0-9]+ out [0-9]+ check 0' "$T/said"
same "the guest prints nothing" 0 "$(stat -c %s "$T/qemu")"

# --- a big file both ways, an endless question ---
awk 'BEGIN {print "id,region,amount"; for (i = 0; i < 100000; i++) printf "%d,r%d,%d.25\n", i, i % 7, i % 1000}' >"$T/big.csv"
start
LIMIT=300 job -f "$T/big.csv" -q "SELECT count(*) AS n FROM big" -q "SELECT * FROM big" -o "$T/results"
check "100,000 rows are counted" grep -q 'ANSWER ok n = 100000' "$T/said"
check "progress is told while they load" test "$(grep -c ' progress ' "$T/said")" -ge 1
same "they come back as they went in, through blobs" "$(sha256sum <"$T/big.csv")" "$(sha256sum <"$T/results/result-2.csv")"
start
job -f examples/sales.csv -x cancel -q "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c" -q "SELECT 42 AS n"
check "an endless question is cancelled" grep -q 'ANSWER cancelled' "$T/said"
check "the next one is answered" grep -q 'ANSWER ok n = 42' "$T/said"

# --- a machine that is not the one the image allows: no key ---
refused() { # NAME STATE
    same "$1" "$2" "$(states)"
    same "$1: nothing but the state was said" 0 "$(grep -cE 'AUTH|HELLO' "$T/said")"
}
start -device virtio-net-pci && job
refused "a network card" "error: hardware"
start -device virtio-rng-pci && job
refused "an extra PCI device" "error: hardware"
start -device VGA && job
refused "a display" "error: hardware"
CPU=Nehalem,-cx16,+aes start && job
refused "a CPU without RDRAND" "error: entropy"
APPEND="$(append "$WORK") cdvm.debug=1" start && job
refused "an unknown word of ours" "error: command line"
APPEND="$(append "$WORK") cdvm.work=$WORK" start && job
refused "a word twice" "error: command line"

# --- a host that breaks the rules ---
start && job -x bad-job
same "a rumor that is not its id" "booted,error: job" "$(states)"
start && job -x unknown-frame
check "a frame that is the guest's own" grep -q 'error: frame' "$T/said"
start && job -x auth-flood
check "more than 20 signatures are not given" grep -q 'error: frame' "$T/said"
start -drive "file=$VOLUME,if=none,id=second,format=raw,readonly=on" -device virtio-blk-pci,drive=second,serial=work && job
check "two disks of one name" grep -q 'error: volume' "$T/said"

# --- a volume that is not the one named: the kernel stops (all of it: tests/long/tamper.sh) ---
blocks=${WORK#*:}
for block in 0 $((blocks / 2)) $((blocks - 1)) "$blocks"; do
    flip "$IMAGE/table.vol" $((block * 4096 + 4000)) "$T/flipped"
    VOLUME=$T/flipped start && job
    stopped "a flipped bit in block $block of $blocks"
done
flip "$IMAGE/table.vol" "$(grep -abo '"argv"' "$IMAGE/table.vol" | head -n 1 | cut -d: -f1)" "$T/flipped"
VOLUME=$T/flipped start && job
stopped "a flipped bit in the job file"
MODEL=$(model_volume)
flip "$T/model.vol" 1500000 "$T/flipped"
MODEL_VOLUME=$T/flipped APPEND=$(append "$WORK" "$MODEL") start && job
stopped "a flipped bit in the model"
other=$(tr '0-9a-f' '1-9a-f0' <<<"${WORK%%:*}")
APPEND=$(append "$other:$blocks") start && job
stopped "another root hash"
finish
