#!/bin/bash
# What a job with GPUs needs of the guest, in its own kernel, up to where a GPU would be needed: base volume, the
# NVML child in its box, the library, the workload's sandbox. The agent itself does none of it where there is no
# GPU; tests/e2e/nvml_init.c does its acts until then.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
# shellcheck source=/dev/null
. tests/e2e/guest.bash
INIT=$B/e2e/nvml_init FAKE=$B/fake/libnvidia-ml.so.1
[[ -x $INIT && -s $FAKE ]] || skip_all "not built: make build/e2e/nvml_init"
command -v mkfs.erofs >/dev/null || PATH=$PATH:/usr/sbin:/sbin

mkdir "$T/overlay"
cp "$INIT" "$T/overlay/init"
(cd "$T/overlay" && echo init | cpio --quiet -H newc -o) >"$T/overlay.cpio"
cat "$IMAGE/initrd" "$T/overlay.cpio" >"$T/initrd"

# said_by BASE-VOLUME ROOT:BLOCKS GPUS
said_by() {
    rm -f "$T/line"
    MEMORY=1024 INITRD=$T/initrd APPEND="$(append "$WORK") cdvm.base=$2 -- $3" start -serial "file:$T/line" \
        -drive "file=$1,if=none,id=base,format=raw,readonly=on" -device virtio-blk-pci,drive=base,serial=base,disable-legacy=on
    wait_for 60 gone || kill "$GUEST"
    wait "$GUEST" 2>/dev/null
    tr -d '\r' <"$T/line"
}

# --- a base with the library of the tests, which probes its box ---
ROOT=$T/base
mkdir -p "$ROOT"/{modules,firmware,sys,fake}
ln -s usr/lib "$ROOT/lib"
install -D "$FAKE" "$ROOT/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1"
printf 'gpus 2\nprobe 1\n' >"$ROOT/fake/settings"
install -D "$B/e2e/gpu_probe" "$ROOT/bin/gpu_probe"
for lib in $(ldd "$B/e2e/gpu_probe" | grep -oE '/[^ ]+'); do install -D "$(realpath "$lib")" "$ROOT$lib"; done
small=$(qemu-scripts/make-volume.sh "$ROOT" "$T/base.vol")
said_by "$T/base.vol" "$small" 2 >"$T/small"
check "in its box the NVML child answers, and can do nothing else" grep -qx 'facts: 2 GPUs' "$T/small"
check "the workload has the GPUs' nodes, and nothing else more" grep -qx 'workload: as it should be' "$T/small"

# --- the real one, where `cdvm image base` has made it ---
if [[ -s $B/base/base.vol ]]; then
    same "NVIDIA's own library is loaded from the base volume, and misses a device (NVML_ERROR_DRIVER_NOT_LOADED)" \
        "facts: gpu-driver: nvmlInit_v2 failed with 9" "$(said_by "$B/base/base.vol" "$(cat "$B/base/base.volume")" 0)"
else
    pass "NVIDIA's own library is loaded from the base volume # SKIP there is none: cdvm image base"
fi
finish
