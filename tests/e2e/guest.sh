#!/bin/bash
# The guest alone, in a real QEMU, with build/e2e/peer as its host and customer: what it answers, what it
# refuses, and that its workload cannot get out.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"

PEER=$PWD/$B/e2e/peer
QEMU=$(command -v qemu-system-x86_64) || skip_all "no qemu-system-x86_64"
[[ -f $IMAGE/initrd && -x $PEER ]] || skip_all "no image: run make image build/e2e/peer build/e2e/probe"
CPU=Nehalem,-cx16,+rdrand,+aes,+pclmulqdq
VOLUME=$IMAGE/table.vol
WORK=$(cat "$IMAGE/table.volume")

append() { sed -e "s/\${work}/$1/; s/\${model}/${2:-none}/; s/\${broker}/none/" "$IMAGE/cmdline.template"; }

# start QEMU-OPTION...   sets GUEST (pid); the port is $T/port
start() {
    rm -f "$T/port"
    "$QEMU" -machine "q35,sata=off,smbus=off" -accel tcg -cpu "$CPU" -m "${MEMORY:-512}" -smp 1 -nodefaults \
        -no-user-config -display none -no-reboot -nic none -kernel "$IMAGE/kernel" -initrd "$IMAGE/initrd" \
        -append "${APPEND:-$(append "$WORK")}" -device virtio-serial-pci,max_ports=2,disable-legacy=on \
        -chardev "socket,id=door,path=$T/port,server=on,wait=off" -device virtserialport,nr=1,chardev=door,name=cdvm.0 \
        -drive "file=$VOLUME,if=none,id=work,format=raw,readonly=on" \
        -device virtio-blk-pci,drive=work,serial=work,disable-legacy=on "$@" >"$T/qemu" 2>&1 &
    GUEST=$!
    PIDS+=("$GUEST")
}

# job PEER-OPTION...   what happened is in $T/said afterwards; the guest must end by itself
job() {
    timeout "${LIMIT:-120}" "$PEER" "$T/port" "$@" >"$T/said" 2>&1
    wait_for 10 gone || { kill "$GUEST" && fail "the guest ends by itself" "$T/said"; }
    wait "$GUEST" 2>/dev/null
}
gone() { ! kill -0 "$GUEST" 2>/dev/null; }
line() { grep -E "^ *[0-9.]+ $1" "$T/said" | tail -n 1 | sed -E 's/^ *[0-9.]+ //'; }
states() { grep -oE 'STATE .*' "$T/said" | cut -c7- | paste -sd, ; }

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

# --- a volume that is not the one named: the kernel stops ---
stopped() { # NAME
    check "$1: no ready" test "$(grep -c 'STATE ready' "$T/said")" = 0
    check "$1: the guest is gone, without a receipt" test "$(grep -c RECEIPT "$T/said")" = 0
    same "$1: it ended in a panic, not in an error" 0 "$(grep -c 'STATE error' "$T/said")"
}
blocks=${WORK#*:}
for block in 0 $((blocks / 2)) $((blocks - 1)) "$blocks"; do
    cp "$IMAGE/table.vol" "$T/flipped"
    byte=$((block * 4096 + 4000))
    old=$(od -An -tu1 -j "$byte" -N 1 "$T/flipped" | tr -d ' ')
    # shellcheck disable=SC2059 # the format is the byte
    printf "\\x$(printf %02x $((old ^ 1)))" | dd of="$T/flipped" bs=1 seek="$byte" conv=notrunc status=none
    VOLUME=$T/flipped start && job
    stopped "a flipped bit in block $block of $blocks"
done
other=$(tr '0-9a-f' '1-9a-f0' <<<"${WORK%%:*}")
APPEND=$(append "$other:$blocks") start && job
stopped "another root hash"

# --- a workload that wants out ---
mkdir -p "$T/tree/bin" "$T/tree/cdvm"
cp "$B/e2e/probe" "$T/tree/bin/probe"
for lib in $(ldd "$B/e2e/probe" | grep -oE '/[^ ]+'); do install -D "$(realpath "$lib")" "$T/tree$lib"; done
sed 's|/bin/table|/bin/probe|' guest/workloads/table.json >"$T/tree/cdvm/job.json"
PROBE=$(qemu-scripts/make-volume.sh "$T/tree" "$T/probe.vol")
mkdir "$T/model"
head -c 3000000 /dev/urandom >"$T/model/weights"
MODEL=$(qemu-scripts/make-volume.sh "$T/model" "$T/model.vol")
VOLUME=$T/probe.vol APPEND=$(append "$PROBE" "$MODEL") start -drive "file=$T/model.vol,if=none,id=model,format=raw,readonly=on" \
    -device virtio-blk-pci,drive=model,serial=model,disable-legacy=on
job -q escape -q link -q pipe -q folder -q outside -q named -q fill -q flood -o "$T/results"
got=$(line 'ANSWER ok port=')
while read -r name want; do
    same "from inside: $name" "$want" "$(grep -oE "(^| )$name=[^ ]*" <<<"$got" | cut -d= -f2)"
done <<'EOF'
port ENOENT
report_device ENOENT
report_config ENOENT
disk ENOENT
mapper ENOENT
kmsg ENOENT
agent_memory ENOENT
proc ENOENT
sysfs ENOENT
initrd ENOENT
volume_copy ENOENT
mknod_port EPERM
mknod_disk EPERM
write_root EROFS
write_own EROFS
write_in EROFS
read_model ok
write_model EROFS
write_out ok
write_tmp ok
exec_tmp EACCES
inet EPERM
inet6 EPERM
netlink EPERM
vsock EPERM
packet EPERM
interfaces EPERM
other_process ESRCH
all_processes ESRCH
trace EPERM
mounting EPERM
unmounting EPERM
rooting EPERM
namespaces EPERM
new_user EPERM
becoming_root EPERM
rebooting EPERM
module EPERM
bpf EPERM
keys EPERM
ring EPERM
perf EPERM
handle EPERM
peek EPERM
fault_fd EPERM
hostname EPERM
raise_limit EPERM
pid 1
ppid 0
uid 1000
gid 1000
descriptors 3
environment 0
node workload
EOF
answers=$(grep -oE 'ANSWER [a-z-]+' "$T/said" | cut -c8- | paste -sd' ')
same "links, pipes, folders and paths outside are not read; floods are cut off" \
    "ok bad-workload bad-workload bad-workload bad-workload ok ok too-large" "$answers"
check "a result's name is only a name" grep -q 'FILE file result' "$T/said"
check "its folder has a limit" grep -q 'ANSWER ok ENOSPC' "$T/said"
for how in long garbage leave; do
    VOLUME=$T/probe.vol APPEND=$(append "$PROBE") start
    job -q $how
    check "a workload that breaks the contract ($how) is an answer with a code" \
        grep -qE 'ANSWER (bad-workload|workload-died)' "$T/said"
    check "... and the end of the job, with a receipt" grep -qE 'RECEIPT (error|end) .* check [01]' "$T/said"
done
finish
