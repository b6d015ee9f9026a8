# shellcheck shell=bash
# A guest alone in a real QEMU, with build/e2e/peer as its host and customer: what the tests of it share.
# Source it after lib.sh.
PEER=$PWD/$B/e2e/peer
QEMU=$(command -v qemu-system-x86_64) || skip_all "no qemu-system-x86_64"
[[ -f $IMAGE/initrd && -x $PEER ]] || skip_all "no image: run make image build/e2e/peer build/e2e/probe"
CPU=Nehalem,-cx16,+rdrand,+aes,+pclmulqdq
VOLUME=$IMAGE/table.vol
WORK=$(cat "$IMAGE/table.volume")

append() { sed -e "s/\${work}/$1/; s/\${model}/${2:-none}/; s/\${broker}/none/" "$IMAGE/cmdline.template"; }

# start QEMU-OPTION...   sets GUEST (pid); the port is $T/port
# From the environment: VOLUME, APPEND, INITRD, CPU, CPUS, MEMORY (MiB), MODEL_VOLUME, BASE_VOLUME.
start() {
    local model=() base=()
    rm -f "$T/port"
    if [[ -n ${MODEL_VOLUME:-} ]]; then
        model=(-drive "file=$MODEL_VOLUME,if=none,id=model,format=raw,readonly=on"
            -device virtio-blk-pci,drive=model,serial=model,disable-legacy=on)
    fi
    if [[ -n ${BASE_VOLUME:-} ]]; then
        base=(-drive "file=$BASE_VOLUME,if=none,id=base,format=raw,readonly=on"
            -device virtio-blk-pci,drive=base,serial=base,disable-legacy=on)
    fi
    "$QEMU" -machine "q35,sata=off,smbus=off" -accel tcg -cpu "$CPU" -m "${MEMORY:-512}" -smp "${CPUS:-1}" -nodefaults \
        -no-user-config -display none -no-reboot -nic none -kernel "$IMAGE/kernel" -initrd "${INITRD:-$IMAGE/initrd}" \
        -append "${APPEND:-$(append "$WORK")}" -device virtio-serial-pci,max_ports=2,disable-legacy=on \
        -chardev "socket,id=door,path=$T/port,server=on,wait=off" -device virtserialport,nr=1,chardev=door,name=cdvm.0 \
        -drive "file=$VOLUME,if=none,id=work,format=raw,readonly=on" \
        -device virtio-blk-pci,drive=work,serial=work,disable-legacy=on "${model[@]}" "${base[@]}" "$@" >"$T/qemu" 2>&1 &
    GUEST=$!
    PIDS+=("$GUEST")
}

# job PEER-OPTION...   what happened is in $T/said afterwards; the guest must end by itself
job() {
    timeout "${LIMIT:-120}" "$PEER" "$T/port" "$@" >"$T/said" 2>&1
    wait_for 30 gone || { kill "$GUEST" && fail "the guest ends by itself" "$T/said"; }
    wait "$GUEST" 2>/dev/null
}
gone() { ! kill -0 "$GUEST" 2>/dev/null; }
line() { grep -E "^ *[0-9.]+ $1" "$T/said" | tail -n 1 | sed -E 's/^ *[0-9.]+ //'; }
states() { grep -oE 'STATE .*' "$T/said" | cut -c7- | paste -sd, ; }

# A volume that is not the one named: the kernel stops.
stopped() { # NAME
    check "$1: it ran until then" grep -q 'STATE attested' "$T/said"
    check "$1: no ready" test "$(grep -c 'STATE ready' "$T/said")" = 0
    check "$1: the guest is gone, without a receipt" test "$(grep -c RECEIPT "$T/said")" = 0
    same "$1: it ended in a panic, not in an error" 0 "$(grep -c 'STATE error' "$T/said")"
}

# flip FILE BYTE OUT   a copy of it with one bit of that byte changed
flip() {
    local old
    cp --reflink=auto "$1" "$3"
    old=$(od -An -tu1 -j "$2" -N 1 "$3" | tr -d ' ')
    # shellcheck disable=SC2059 # the format is the byte
    printf "\\x$(printf %02x $((old ^ 1)))" | dd of="$3" bs=1 seek="$2" conv=notrunc status=none
}

# probe_volume NAME [LIMITS]   $T/NAME.vol, a workload that misbehaves (probe.c); prints its "root:blocks"
probe_volume() {
    local lib tree=$T/tree.$1
    mkdir -p "$tree/bin" "$tree/cdvm"
    cp "$B/e2e/probe" "$tree/bin/probe"
    for lib in $(ldd "$B/e2e/probe" | grep -oE '/[^ ]+'); do install -D "$(realpath "$lib")" "$tree$lib"; done
    printf '{"argv":["/bin/probe"],"env":[],"limits":{%s},"mode":"contract","uid":1000}' \
        "${2:-\"files\":32,\"in_mib\":128,\"memory_mib\":512,\"out_mib\":64,\"processes\":4,\"tmp_mib\":16}" \
        >"$tree/cdvm/job.json"
    qemu-scripts/make-volume.sh "$tree" "$T/$1.vol"
}
model_volume() { # 3 MB of it, $T/model.vol; prints its "root:blocks"
    mkdir -p "$T/model"
    head -c 3000000 /dev/urandom >"$T/model/weights"
    qemu-scripts/make-volume.sh "$T/model" "$T/model.vol"
}

# weigh   a job with tests/bench/meter.c in the initrd; sets KIB, the most that the agent took
weigh() {
    mkdir "$T/scale"
    ${CC:-gcc} -O2 -D_GNU_SOURCE -static -o "$T/scale/init" tests/bench/meter.c || return 1
    (cd "$T/scale" && cpio --quiet -i --to-stdout init <"$IMAGE/initrd" >agent && chmod 755 agent &&
        printf 'agent\ninit\n' | cpio --quiet -H newc -o) >"$T/scale.cpio"
    cat "$IMAGE/initrd" "$T/scale.cpio" >"$T/scale.initrd"
    INITRD=$T/scale.initrd start -serial "file:$T/weight"
    job -f examples/sales.csv -q "SELECT count(*) AS n FROM sales"
    KIB=$(tr -d '\r' <"$T/weight" | grep -oE 'agent [0-9]+' | tail -n 1 | cut -d' ' -f2)
}
