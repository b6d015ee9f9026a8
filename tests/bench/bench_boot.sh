#!/bin/bash
# The guest's boot, from QEMU's spawn to STATE booted, in turn with a bare boot of the same kernel to its
# first userland line. Prints one JSON object: seconds. Needs `make image` and QEMU.
# usage: tests/bench/bench_boot.sh [RUNS]
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
IMAGE=$B/image
RUNS=${1:-7}
QEMU=$(command -v qemu-system-x86_64) || { echo "bench_boot: no qemu-system-x86_64" >&2; exit 0; }
[[ -f $IMAGE/initrd ]] || { echo "bench_boot: no $IMAGE: run make image" >&2; exit 0; }
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT

ROOT=$(printf '%064d' 0)
APPEND=$(sed -e "s/\${work}/$ROOT:1/; s/\${model}/none/; s/\${broker}/none/" "$IMAGE/cmdline.template")
MACHINE=(-machine "q35,sata=off,smbus=off" -accel tcg -cpu "Nehalem,-cx16,+rdrand,+aes,+pclmulqdq" -m 512
    -smp 1 -nodefaults -no-user-config -display none -nic none -no-reboot -kernel "$IMAGE/kernel")

make_bare() {
    mkdir "$T/root"
    ${CC:-gcc} -O2 -static -nostdlib -ffreestanding -fno-stack-protector -o "$T/root/init" tests/bench/bare_init.c
    (cd "$T/root" && echo init | cpio --quiet -H newc -o >"$T/bare")
}

# timed QEMU-OPTION...: seconds until the file $T/said is not empty
timed() {
    local start end pid
    : >"$T/said"
    start=$(date +%s%N)
    "$QEMU" "${MACHINE[@]}" "$@" >/dev/null 2>&1 &
    pid=$!
    while [[ ! -s $T/said ]] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
    end=$(date +%s%N)
    kill $pid 2>/dev/null || true
    wait $pid 2>/dev/null || true
    [[ -s $T/said ]] || return 1
    echo $(((end - start) / 1000000))
}

bare() {
    timed -initrd "$T/bare" -append "${APPEND/console=null/console=ttyS0}" -serial "file:$T/said"
}
guest() {
    timed -initrd "$IMAGE/initrd" -append "$APPEND" -device virtio-serial-pci,max_ports=2,disable-legacy=on \
        -chardev "file,id=door,path=$T/said" -device virtserialport,nr=1,chardev=door,name=cdvm.0
}

make_bare
for ((i = 0; i < RUNS; i++)); do
    bare >>"$T/bare.ms"
    guest >>"$T/guest.ms"
done
pick() { sort -n "$1" | awk -v share="$2" '{v[NR] = $1} END {printf "%.2f", v[int((NR - 1) * share) + 1] / 1000}'; }
printf '{"name":"guest_boot","unit":"s","median":%s,"p95":%s,"n":%d,"against":{"name":"bare_boot","median":%s}}\n' \
    "$(pick "$T/guest.ms" 0.5)" "$(pick "$T/guest.ms" 0.95)" "$RUNS" "$(pick "$T/bare.ms" 0.5)"
