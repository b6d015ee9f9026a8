#!/bin/bash
# Builds the base volume of a release for GPUs, and that release: the guest image of build/image with one word
# more on its measured command line, cdvm.base=ROOT:BLOCKS. The volume holds NVIDIA's open kernel modules,
# compiled for the image's kernel, the firmware that they load into the GPU, and libnvidia-ml.
#
#   build/base/base.vol, base.volume   the volume and its "root:blocks"
#   build/image-gpu                    the image: as build/image, the volume beside its others
#
# build/image stays as it is. The packages are those of base.lock, in Debian's components contrib, non-free and
# non-free-firmware; whoever passes the volume on passes on NVIDIA's firmware and library, under the licences
# that lie in it under /usr/share/doc. As with the image, the same commit gives the same bytes on any machine.
#
# usage: qemu-scripts/build-base.sh      (make base, after make image)
#   ACPI=open  of build/image-open, into build/image-open-gpu
#   B, DEBS, MIRROR, SNAPSHOT, LOCKED, KEYRING as in qemu-scripts/fetch-debs.sh
set -euo pipefail
cd "$(dirname "$0")/.."
export SET=base
# shellcheck source=qemu-scripts/lib.sh
. qemu-scripts/lib.sh
# shellcheck source=qemu-scripts/packages.sh
. qemu-scripts/packages.sh
# shellcheck source=qemu-scripts/root.sh
. qemu-scripts/root.sh

FROM=$B/image
[[ ${ACPI:-off} == off ]] || FROM=$B/image-$ACPI
IMAGE=$FROM-gpu
BASE=$B/base
WORK=$ROOT/cdvm/base
GROUPS_AT=$WORK/packages
MADE_MIB=1700 # objects with debug information; they go when the volume is there

make_groups() {
    local group stale=()
    for group in $(lock_groups); do is_unpacked "$group" || stale+=("$group"); done
    ((${#stale[@]} == 0)) || need_space "$ROOT" "$(needed_mib "${stale[@]}")"
    for group in "${stale[@]}"; do
        remove_tree "$(tree_of "$group")"
        unpack "$group"
    done
}

unpack_source() {
    local all=$GROUPS_AT/driver/usr/src/nvidia-open-kernel.tar.xz
    remove_tree "$WORK/source"
    mkdir -p "$WORK/source"
    tar -C "$WORK/source" --strip-components=2 --no-same-owner -xf "$all"
}

# What the headers of a kernel say of where they are is true while the root is entered.
bind_headers() {
    local kbuild at=/cdvm/base/packages/headers
    kbuild=/usr/lib/linux-kbuild-$(kernel_abi)
    INSIDE=("$at/usr/src /usr/src" "$at$kbuild $kbuild")
}

# The digest of everything that the volume is made of.
volume_key() {
    cat "$LOCK" "$ROOT/.lock" "$ROOT/cdvm/groups/kernel/.lock" qemu-scripts/make-{base,volume}.sh qemu-scripts/{kmods,lib}.sh | sha256sum
}

volume() {
    local key kernel
    key=$(volume_key)
    if [[ -f $BASE/base.vol && -f $BASE/key && $(cat "$BASE/key") == "$key" ]]; then return; fi
    rm -f "$BASE/key"
    make_groups
    unpack_source
    bind_headers
    kernel=$(basename "$ROOT"/cdvm/groups/kernel/usr/lib/modules/*)
    inside /cdvm/src/qemu-scripts/make-base.sh "/cdvm/groups/kernel/usr/lib/modules/$kernel" /cdvm/base/base.vol >"$BASE/base.volume"
    mv "$WORK/base.vol" "$BASE/base.vol"
    remove_tree "$WORK/source"
    echo "$key" >"$BASE/key"
}

# The volumes are the same files under a second name where the file system can, offers need the base's memory.
offer() { # FILE
    awk -v more="$((($(stat -c %s "$BASE/base.vol") >> 20) + 64))" '
        /^ *memory *=/ {split($0, v, "="); print "memory = " v[2] + more; next}
        {print}' "$1"
}

# What an earlier run has put there. Other people's volumes stay.
forget() {
    local f
    if [[ -f $IMAGE/.made ]]; then while read -r f; do rm -f "$IMAGE/$f"; done <"$IMAGE/.made"; fi
}

put() { # FILE
    ln "$1" "$IMAGE/" 2>/dev/null || cp --reflink=auto "$1" "$IMAGE/"
}

release() {
    local f name made=(base.vol cmdline.template packages.lock)
    mkdir -p "$IMAGE"
    forget
    for f in "$FROM"/*; do
        name=$(basename "$f")
        [[ $name != *.manifest && " ${made[*]} " != *" $name "* ]] || continue
        if [[ $name == *.offer ]]; then offer "$f" >"$IMAGE/$name"; else put "$f"; fi
        made+=("$name")
    done
    put "$BASE/base.vol"
    printf '%s cdvm.base=%s' "$(cat "$FROM/cmdline.template")" "$(cat "$BASE/base.volume")" >"$IMAGE/cmdline.template"
    cat "$FROM/packages.lock" "$LOCK" >"$IMAGE/packages.lock"
    printf '%s\n' "${made[@]}" >"$IMAGE/.made"
}

main() {
    [[ -f $FROM/.state ]] || die "there is no finished image in $FROM: make image first"
    mkdir -p "$BASE" "$B/apt"
    alone
    need_tools unshare:util-linux flock:util-linux mount dpkg-deb:dpkg tar
    can_enter
    qemu-scripts/fetch-debs.sh fetch
    use_lock
    volume
    release
    printf 'image: %-16s root   %s  %d KiB\n' base.vol "$(cut -d: -f1 "$BASE/base.volume")" $(($(stat -c %s "$BASE/base.vol") / 1024))
    say "the release for GPUs is in $IMAGE; \`cdvm image manifest $IMAGE\` describes it"
}

main
