#!/bin/bash
# The first thing a newcomer does: `make demo-headless`, twice, in a folder of its own.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
export DEMO_DIR=$T/demo

for run in first second; do
    start=$SECONDS
    qemu-scripts/demo.sh headless >"$T/out" 2>"$T/err"
    same "$run run exits 0" 0 $?
    took=$((SECONDS - start))
    if [[ $run == second ]]; then
        echo "# the second run took $took s"
        check "second run takes under 150 s, whatever else this machine does" test "$took" -lt 150
    fi
done
tree=$(grep -cE '^ *SIMULATED (\[|VERDICT)' "$T/err")
check "the tree has its checks ($tree lines)" test "$tree" -ge 40
same "every line of the tree says SIMULATED" 0 "$(grep -E '\[(PASS|WARN|FAIL|NOT CHECKED)\]' "$T/err" | grep -vc SIMULATED)"
check "the verdict is PASS under policy demo" said "$T/err" 'SIMULATED VERDICT PASS +policy demo'
# What the running guest reported, against the manifest alone.
same "cdvm measure finds the launch digest that the guest reported" \
    "$(grep -oE 'launch digest: [0-9a-f]{60}' "$T/err" | cut -d' ' -f3)" \
    "$("$CDVM" measure --release "$IMAGE/release.manifest" --work "$(cat "$IMAGE/table.volume")" \
        --vcpus 1 --vcpu-type EPYC-Genoa | cut -c1-60)"

# The right answer, worked out here by other means.
want=$(awk -F, 'NR > 1 { n[$2]++; s[$2] += $5 } END { for (r in n) printf "%s %d %.2f\n", r, n[r], s[r] }' examples/sales.csv | sort -k3,3nr)
got=$(grep -E '^(north|south|east|west) ' "$T/out" | awk '{ printf "%s %d %.2f\n", $1, $2, $3 }' | sort -k3,3nr)
same "the table is right" "$want" "$got"
path=$(grep -oE '^/[^ ]+\.csv' "$T/out" "$T/err" -h | tail -n 1)
sum=$(grep -hoE 'sha256 [0-9a-f]{64}' "$T/out" "$T/err" | tail -n 1 | cut -d' ' -f2)
check "the result file is there, readable by its owner only" test "$(stat -c %a "$path" 2>/dev/null)" = 600
same "its sha256 is what was printed" "$(sha256sum "$path" | cut -d' ' -f1)" "$sum"
same "the second run did not write over the first result" 2 "$(find "$DEMO_DIR/results" -name '*.csv' | wc -l)"

same "no process is left" 0 "$(pgrep -f "$T" | wc -l)"
same "no run directory or socket is left" 0 "$(find "$DEMO_DIR" \( -type s -o -path '*/run/*' \) | wc -l)"
same "no console file exists" 0 "$(find "$DEMO_DIR" -iname '*console*' -o -iname '*serial*' | wc -l)"
finish
