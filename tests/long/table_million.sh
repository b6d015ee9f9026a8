#!/bin/bash
# A million rows (38 MB of CSV, 5 columns) grouped and summed in a real guest, beside the same program and the
# same library on this machine in the same run; and in that guest's sandbox the SQL that wants out, or wants
# more than there is.
# shellcheck source=/dev/null
. "$(dirname "$0")/../e2e/lib.sh"

PEER=$PWD/$B/e2e/peer
QEMU=$(command -v qemu-system-x86_64) || skip_all "no qemu-system-x86_64"
[[ -f $IMAGE/table.vol && -x $PEER ]] || skip_all "no image: run make image $B/e2e/peer"
QUESTION="SELECT region, count(*) AS n, sum(amount) AS total FROM ledger GROUP BY region ORDER BY region"

append() { sed -e "s/\${work}/$(cat "$IMAGE/table.volume")/; s/\${model}/none/; s/\${broker}/none/" "$IMAGE/cmdline.template"; }

# guest LIMIT PEER-OPTION...   a guest with one virtual CPU; what happened is in $T/said
guest() {
    local limit=$1 pid
    shift
    rm -f "$T/port"
    "$QEMU" -machine "q35,sata=off,smbus=off" -accel tcg -cpu Nehalem,-cx16,+rdrand,+aes,+pclmulqdq -m 1024 -smp 1 \
        -nodefaults -no-user-config -display none -no-reboot -nic none -kernel "$IMAGE/kernel" -initrd "$IMAGE/initrd" \
        -append "$(append)" -device virtio-serial-pci,max_ports=2,disable-legacy=on \
        -chardev "socket,id=door,path=$T/port,server=on,wait=off" -device virtserialport,nr=1,chardev=door,name=cdvm.0 \
        -drive "file=$IMAGE/table.vol,if=none,id=work,format=raw,readonly=on" \
        -device virtio-blk-pci,drive=work,serial=work,disable-legacy=on >"$T/qemu" 2>&1 &
    pid=$!
    PIDS+=("$pid")
    timeout "$limit" "$PEER" "$T/port" "$@" >"$T/said" 2>&1
    kill -TERM "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
}
at() { grep -E "^ *[0-9.]+ $1" "$T/said" | "${2:-tail}" -n 1 | awk '{print $1}'; } # seconds since the start
since() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.1f", b - a}'; }

# The engine and libraries of the volume under its own loader, over pipes.
# shellcheck disable=SC2094 # the input stays open until the answer is there
host() {
    local libs=$T/volume/usr/lib/x86_64-linux-gnu
    mkdir "$T/out"
    {
        printf '%s\n' '{"t":"start","params":{}}' \
            "{\"t\":\"file\",\"id\":\"f\",\"name\":\"ledger.csv\",\"path\":\"$T/ledger.csv\",\"sha256\":\"00\"}" \
            "{\"t\":\"ask\",\"id\":\"q\",\"text\":\"$QUESTION\"}"
        wait_for 300 said "$T/host" '"t":"(done|error)","id":"q"'
    } | "$libs/ld-linux-x86-64.so.2" --library-path "$libs" "$T/volume/usr/bin/table" "$T/out" "$T" >"$T/host" 2>&1
}
ms_of() { grep "\"t\":\"done\",\"id\":\"$1\"" "$T/host" | grep -oE '"ms":[0-9]+' | cut -d: -f2; }

awk 'BEGIN {
    print "id,customer,region,amount,date"
    for (i = 1; i <= 1000000; i++)
        printf "%d,cust%d,r%d,%d.%02d,2026-%02d-%02d\n", i, i * 7919 % 50000, i * 31 % 12, i * 37 % 900, i % 100, i % 12 + 1, i % 28 + 1
}' >"$T/ledger.csv"
awk -F, 'NR > 1 {n[$3]++; split($4, a, "."); s[$3] += a[1] * 100 + a[2]} END {for (r in n) printf "%s,%d,%d.%02d\n", r, n[r], s[r] / 100, s[r] % 100}' \
    "$T/ledger.csv" | LC_ALL=C sort >"$T/want"
echo "# the file: $(wc -l <"$T/ledger.csv") lines, $(($(stat -c %s "$T/ledger.csv") / 1000000)) MB"

fsck.erofs --extract="$T/volume" "$IMAGE/table.vol" >/dev/null 2>&1 || skip_all "no fsck.erofs: install erofs-utils"
host
check "on this machine the sums are exact" cmp -s "$T/want" <(tail -n +2 "$T/out/result-1.csv")
mkdir "$T/results"
guest 900 -f "$T/ledger.csv" -q "$QUESTION" -o "$T/results"
check "in the guest the sums are exact" cmp -s "$T/want" <(tail -n +2 "$T/results/result-1.csv")
check "progress is told while it loads" test "$(grep -c ' progress ' "$T/said")" -ge 2
first=$(at ' *progress .*reading:' head) loaded=$(at ' *progress .*table ledger:') answered=$(at ANSWER)
echo "# on this machine: $(ms_of f) ms to load, $(ms_of q) ms for the question"
echo "# in the guest (TCG, 1 vCPU): $(since "$(at 'STATE ready')" "$first") s to receive and decrypt," \
    "$(since "$first" "$loaded") s to load, $(since "$loaded" "$answered") s for the question; load of this machine $(cut -d' ' -f1 /proc/loadavg)"

# --- what wants out, from inside the sandbox ---
hostile=("COPY sales TO '/out/leak.csv'" "COPY sales TO '/tmp/leak.parquet'" "ATTACH '/tmp/x.db' AS x" "SELECT * FROM read_csv('/in/0')"
    "SELECT * FROM read_text('/cdvm/job.json')" "SELECT * FROM glob('/*')" "INSTALL httpfs" "LOAD '/tmp/x.so'" "PRAGMA enable_profiling"
    "SET enable_external_access=true" "EXPORT DATABASE '/out/all'" "CREATE SECRET s (TYPE http)" "SELECT getenv('PATH')" "DROP TABLE sales"
    "SELECT 1; SELECT 2" "SELECT repeat('x', 4000000000)" "SELECT list(x) FROM range(1000000000) t(x)" "SELECT range(10000000000)")
args=()
for q in "${hostile[@]}"; do args+=(-q "$q"); done
guest 600 -f examples/sales.csv "${args[@]}" -q "SELECT count(*) AS n FROM sales" -o "$T/results"
grep -oE ' ANSWER [a-z-]+' "$T/said" | awk '{print $2}' >"$T/codes"
for i in "${!hostile[@]}"; do
    code=$(sed -n "$((i + 1))p" "$T/codes")
    check "in the guest: ${hostile[i]} ($code)" grep -qxE 'denied|bad-sql|too-large' <<<"$code"
done
check "and the tables are as they were" grep -q 'ANSWER ok n = 60' "$T/said"
finish
