#!/bin/bash
# The base volume of `make base`: NVIDIA's open modules in the image's kernel, as far as they go on a machine
# without a GPU; the same bytes from another folder; one bit of it changed, anywhere; a module that is none.
# shellcheck source=/dev/null
. "$(dirname "$0")/../e2e/lib.sh"
# shellcheck source=/dev/null
. tests/e2e/guest.bash

BASE=$PWD/$B/base/base.vol
[[ -f $BASE ]] || skip_all "no base volume: run make base"
NAMED=$(cat "$B/base/base.volume")
with() { echo "$(append "$WORK") cdvm.base=$1"; }

# --- what is in it ---
mkdir "$T/tree"
fsck.erofs --extract="$T/tree/base" "$BASE" >/dev/null 2>&1
modules=$(cd "$T/tree/base/modules" && echo *)
check "the driver's modules are the last ($modules)" grep -qE '[0-9]+-nvidia.ko [0-9]+-nvidia_uvm.ko$' <<<"$modules"
for f in "$T/tree/base/firmware/nvidia"/*/gsp_ga10x.bin "$T/tree/base/usr/lib/x86_64-linux-gnu"/{libnvidia-ml.so.1,libc.so.6} \
    "$T/tree/base/usr/share/doc"/{firmware-nvidia-gsp,libnvidia-ml1,nvidia-open-kernel-source}/copyright; do
    check "it has ${f#"$T/tree/base/"}" test -s "$f"
done
(cd "$T/tree" && mkdir agent && cd agent && cpio --quiet -id <"$IMAGE/initrd")
check "its C library is the agent's" cmp -s "$T/tree/agent/lib/x86_64-linux-gnu/libc.so.6" "$T/tree/base/usr/lib/x86_64-linux-gnu/libc.so.6"
libs=$T/tree/base/usr/lib/x86_64-linux-gnu
"$T/tree/base/usr/lib64/ld-linux-x86-64.so.2" --inhibit-cache --library-path "$libs" --list "$libs/libnvidia-ml.so.1" >"$T/linked" 2>&1
check "its library is linked with ($(grep -c '=> ' "$T/linked")) files of the volume and no others" \
    test "$(grep -cF "=> $libs/" "$T/linked")" = 5 -a "$(grep '=> ' "$T/linked" | grep -cvF "=> $T/tree/base/")" = 0
check "no path of the machine that made it is in a module" \
    test -z "$(grep -alF "$PWD" "$T/tree/base/modules"/*)"

# --- a guest with it, its kernel's own words on a serial line (another command line: only here) ---
loud=$(with "$NAMED" | sed 's/console=null loglevel=0/console=ttyS0 loglevel=7/')
began=$SECONDS
BASE_VOLUME=$BASE APPEND=$loud start -serial "file:$T/console"
job -f examples/sales.csv -q "SELECT 6 * 7 AS n"
same "a guest takes it and serves" "booted,keyed,attested,accepted,ready,wiping" "$(states)"
echo "# $((SECONDS - began)) s from start to end, of which $(grep -oE '[0-9.]+ STATE booted' "$T/said" | cut -d. -f1) to booted"
check "its driver was loaded, and found no GPU" said "$T/console" 'NVRM: No NVIDIA GPU found'
check "it fits the kernel: no symbol is unknown or of another version" \
    test -z "$(grep -aE 'nvidia: (Unknown symbol|disagrees|version magic)' "$T/console")"

# --- what is not the one that was named ---
stopped_early() { # NAME
    same "$1: the kernel stops before there is a key" "" "$(states)"
}
blocks=${NAMED#*:}
for block in 0 $((blocks / 3)) $((blocks - 1)) "$blocks" $(($(stat -c %s "$BASE") / 4096 - 1)); do
    flip "$BASE" $((block * 4096 + 1234 * (block < blocks))) "$T/flipped"
    BASE_VOLUME=$T/flipped APPEND=$(with "$NAMED") start && job
    stopped_early "a flipped bit in block $block of $blocks"
done
BASE_VOLUME=$BASE APPEND=$(with "$(tr '0-9a-f' '1-9a-f0' <<<"${NAMED%%:*}"):$blocks") start && job
stopped_early "another root hash"
head -c $((blocks * 2048)) "$BASE" >"$T/short"
BASE_VOLUME=$T/short APPEND=$(with "$NAMED") start && job
same "half of it" "error: volume" "$(states)"

# --- a release with a base of its own kind ---
own() { # TREE
    BASE_VOLUME=$T/own.vol APPEND=$(with "$(qemu-scripts/make-volume.sh "$1" "$T/own.vol")") start && job
}
mkdir -p "$T/own/modules"
head -c 5000 /dev/urandom >"$T/own/modules/00-nvidia.ko"
own "$T/own"
same "a module that is none" "error: volume" "$(states)"
finish
