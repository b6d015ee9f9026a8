#!/bin/bash
# A release for GPUs, with a base made here: small, and without a driver (the real one: tests/long/base.sh). Its
# root hash is the release's word: in the manifest, in the launch digest, and what the guest opens.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
# shellcheck source=/dev/null
. tests/e2e/guest.bash

mkdir -p "$T/base"/{modules,firmware}
(cd "$T/base" && cpio --quiet -id 'modules/*-xts.ko' <"$IMAGE/initrd") # one that is there already is no error
head -c 300000 /dev/urandom >"$T/base/blob"
BASE=$(qemu-scripts/make-volume.sh "$T/base" "$T/base.vol")
WITH="$(append "$WORK") cdvm.base=$BASE"

# --- the release ---
only table
FREE=$IMAGE
IMAGE=$T/gpu
mkdir "$IMAGE"
ln -s "$FREE"/* "$IMAGE"
rm "$IMAGE/cmdline.template"
printf '%s cdvm.base=%s' "$(cat "$FREE/cmdline.template")" "$BASE" >"$IMAGE/cmdline.template"
"$CDVM" image manifest "$IMAGE" >"$T/said" 2>&1
check "without base.vol there is no such release" said "$T/said" "base.vol', which the command line names"
cp "$T/base.vol" "$IMAGE"
check "with it there is" "$CDVM" image manifest "$IMAGE" --version test
"$CDVM" image manifest "$FREE" --version test >/dev/null
check "its manifest names the base" \
    grep -q "\"base\":{\"blocks\":${BASE#*:},\"root\":\"${BASE%%:*}\"}" "$IMAGE/release.manifest"
check "the other one's has none" grep -q '"base":null' "$FREE/release.manifest"
same "the base is not among the workloads" table.manifest "$(cd "$IMAGE" && echo [!r]*.manifest)"
digest() { "$CDVM" measure --vcpus 1 --vcpu-type EPYC-Genoa "$@"; }
same "the launch digest from the manifest is that of the files" \
    "$(digest --ovmf "$IMAGE/ovmf.fd" --kernel "$IMAGE/kernel" --initrd "$IMAGE/initrd" --append "$(append "$WORK")")" \
    "$(digest --release "$IMAGE/release.manifest" --work "$WORK")"
check "it is not that of the release without" \
    test "$(digest --release "$IMAGE/release.manifest" --work "$WORK")" != "$(digest --release "$FREE/release.manifest" --work "$WORK")"
flip "$T/base.vol" 4000 "$T/flipped"
cp "$T/flipped" "$IMAGE/base.vol"
"$CDVM" image inspect "$IMAGE" >"$T/said" 2>&1
same "an image with one bit flipped in it is none" 65 $?
check "... and is told which piece" said "$T/said" 'base.vol'
IMAGE=$FREE

# --- its packages ---
# shellcheck disable=SC2016 # for the other shell
abi=$(bash -c '. qemu-scripts/packages.sh && kernel_abi')
same "every group of base.packages is in base.lock, and no other" \
    "$(sed 's/#.*//' base.packages | awk 'NF {print $1}' | sort -u)" "$(cut -d' ' -f1 base.lock | sort -u)"
check "the modules are for the kernel of the image's lock" grep -qF " linux-headers-$abi-cloud-amd64 " \
    "$(SET=base bash -c '. qemu-scripts/packages.sh && echo "$LOCK"')"
check "nothing of NVIDIA's is among the image's packages" test "$(grep -ci nvidia "$(lock_in_use)")" = 0

# --- the guest ---
BASE_VOLUME=$T/base.vol APPEND=$WITH start
job -f examples/sales.csv -q "SELECT 6 * 7 AS n"
same "a guest takes its base and serves" "booted,keyed,attested,accepted,ready,wiping" "$(states)"
BASE_VOLUME=$T/flipped APPEND=$WITH start && job
same "a flipped bit in it: the kernel stops before there is a key" "" "$(states)"
APPEND=$WITH start && job
same "no such disk" "error: volume" "$(states)"
finish
