#!/bin/bash
# Runs inside the root that qemu-scripts/build-image.sh has made, with the kernel's headers where they say they
# are: compiles NVIDIA's open kernel modules for the image's kernel and packs the base volume of a release for
# GPUs. There is no /proc and no network here.
#
#   /cdvm/base/packages/driver   its packages, unpacked; /cdvm/base/source the modules' source
#   /modules/NN-name.ko          in the volume: what the agent loads, in order, and the initrd has not
#   /firmware/nvidia/VERSION     what the modules load into the GPU
#   /usr/lib/x86_64-linux-gnu    libnvidia-ml.so.1 with what it is linked with: the C library of the agent
#
# usage: make-base.sh MODULES OUT     prints the reference "root:blocks"
#   MODULES  .../lib/modules/<version> of the unpacked kernel package
set -euo pipefail
# shellcheck source=qemu-scripts/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu-scripts/kmods.sh
. "$(dirname "$0")/kmods.sh"

SOURCE=/cdvm/base/source
DRIVER=/cdvm/base/packages/driver
# Without the display. GSP's ga10x firmware is that of Hopper too; tu10x is for GPUs without confidential mode.
DRIVER_MODULES=(nvidia nvidia_uvm)
OTHERS='nvidia-modeset nvidia-drm nvidia-peermem'
FIRMWARE=(gsp_ga10x.bin)
# SPDM with the GPU and encrypted transfers use the kernel's own cryptography, by names that no .modinfo tells.
CRYPTO_MODULES=(ghash_generic gcm ecdh_generic)

# Newer kernels have an argument more there, which this driver does not know yet. 0: as before.
fit_to_kernel() {
    ! grep -q 'int exclude_bars' "$headers-common/include/linux/pci.h" ||
        sed -i 's/\(pci_resize_resource(pci_dev, NV_GPU_BAR1, requested_size\))/\1, 0)/' "$SOURCE/nvidia/nv-pci.c"
}

# Without BTF, type information for tracing, which takes a tool more.
compile() {
    local n=0 all line
    all=$(find "$SOURCE/nvidia" "$SOURCE/nvidia-uvm" -name '*.c' | wc -l)
    fit_to_kernel
    say "asking the kernel's headers what the driver has to know"
    LD_LIBRARY_PATH=/cdvm/base/packages/headers/usr/lib/x86_64-linux-gnu \
        make -C "$SOURCE" -j"$(nproc)" SYSSRC="$headers-common" SYSOUT="$headers-cloud-amd64" \
        NV_EXCLUDE_KERNEL_MODULES="$OTHERS" CONFIG_DEBUG_INFO_BTF_MODULES= modules 2>&1 | tee /cdvm/base/log |
        while read -r line; do
            [[ $line == CC* ]] || continue
            n=$((n + 1))
            progress "compiling the driver" "$n" "$((n > all ? n : all))" "${line##*/}"
        done || { grep -E ' error|\*\*\*' /cdvm/base/log >&2; die "the driver's modules do not compile (above)"; }
}

# A module of another kernel, or of other options, is one that the guest cannot load.
same_kernel() { # FILE
    local ours theirs
    ours=$(modinfo_of "$1" vermagic)
    theirs=$(modinfo_of "$work/dm_verity.ko" vermagic)
    [[ $ours == "$theirs" ]] || die "$(basename "$1") is for the kernel '$ours', the image's is '$theirs'"
}

modules() {
    local m to=$work/initrd
    local -A seen=()
    mkdir "$to"
    for m in "${INITRD_MODULES[@]}"; do add_module "$m"; done
    to=$tree/modules count=0
    mkdir "$to"
    for m in "${CRYPTO_MODULES[@]}" "${DRIVER_MODULES[@]}"; do add_module "$m"; done
    for m in "${DRIVER_MODULES[@]}"; do same_kernel "$work/$m.ko"; done
}

firmware() {
    local f from
    from=$(echo "$DRIVER"/usr/lib/firmware/nvidia/*)
    for f in "${FIRMWARE[@]}"; do install -D -m 0644 "$from/$f" "$tree/firmware/nvidia/$(basename "$from")/$f"; done
}

library() {
    local lib ml=$DRIVER/usr/lib/x86_64-linux-gnu/nvidia/current/libnvidia-ml.so.1
    mkdir -p "$tree/usr/lib" "$tree/usr/lib64" "$tree/sys"
    ln -s usr/lib "$tree/lib"
    ln -s usr/lib64 "$tree/lib64"
    install -D "$ml" "$tree/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1"
    for lib in $(ldd "$ml" | grep -oE '/[^ ]+'); do install -D "$(realpath "$lib")" "$tree$lib"; done
}

licences() {
    local f
    for f in "$DRIVER"/usr/share/doc/*/copyright /usr/share/doc/libc6/copyright; do
        install -D -m 0644 "$f" "$tree/usr/${f#*/usr/}"
    done
}

main() {
    local version work tree count=0 folders=("$1/kernel" "$SOURCE")
    local headers=/usr/src/linux-headers-
    version=$(basename "$1")
    headers+=${version%-cloud-amd64}
    umask 022
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$work'" EXIT
    tree=$work/tree
    mkdir "$tree"
    compile >&2
    modules
    firmware
    library
    licences
    "$(dirname "$0")/make-volume.sh" --in-place --compress "$tree" "$2"
}

[[ $# == 2 ]] || die "usage: qemu-scripts/make-base.sh MODULES OUT"
main "$@"
