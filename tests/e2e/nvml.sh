#!/bin/bash
# NVIDIA's library and the guest: the binary interface as the guest knows it, held against Debian's packages of
# header and library; and the child in which the guest loads that library, in its real box.
# usage: tests/e2e/nvml.sh
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/debs.bash
. tests/e2e/debs.bash
FAKE=$PWD/$B/fake/libnvidia-ml.so.1
BOX=$PWD/$B/e2e/nvml_box
[[ -x $BOX && -s $FAKE ]] || skip_all "not built: make build/e2e/nvml_box build/fake/libnvidia-ml.so.1"

skip() { pass "$1 # SKIP $2"; }

# --- the packages: of the image where it was built with them, else fetched, and not installed ---

saved_deb() { # NAME
    local dir deb
    for dir in "${DEBS:-}" "$B/apt/debs"; do
        for deb in "$dir/$1"_*.deb; do
            if [[ -f $deb ]]; then echo "$deb" && return; fi
        done
    done
}

unpack() {
    local lib deb want=(libnvidia-ml-dev)
    lib=$(saved_deb libnvidia-ml1)
    mkdir -p "$T/nv"
    [[ -n $lib ]] || want+=(libnvidia-ml1)
    fetch_debs "$T/apt" 'trixie non-free' "${want[@]}" || true
    for deb in "$lib" "$T"/apt/*.deb; do
        if [[ -f $deb ]]; then dpkg-deb -x "$deb" "$T/nv"; fi
    done
    HEADER=$(find "$T/nv" -name nvml.h -print -quit)
    LIBRARY=$(find "$T/nv" -name 'libnvidia-ml.so.[0-9]*.*' -type f -print -quit)
}
unpack

if [[ -n $HEADER ]]; then
    check "sizes, places and numbers are those of NVIDIA's header" \
        gcc -std=gnu17 -I. -isystem "${HEADER%/*}" -fsyntax-only tests/tools/nvml_header.c
    mkdir -p "$T/other/guest"
    sed 's/NVML_NO_PERMISSION 4/NVML_NO_PERMISSION 5/' guest/nvml_abi.h >"$T/other/guest/nvml_abi.h"
    check "and one that is not is noticed" bash -c \
        "! gcc -std=gnu17 -I'$T/other' -isystem '${HEADER%/*}' -fsyntax-only tests/tools/nvml_header.c 2>/dev/null"
else
    skip "sizes, places and numbers are those of NVIDIA's header" "libnvidia-ml-dev cannot be fetched"
fi

symbols() { # FILE  what it exports and the guest calls
    readelf --dyn-syms -W "$1" | awk '$7 != "UND" {sub(/@.*/, "", $8); print $8}' | LC_ALL=C sort -u
}
grep -oE '"nvml[A-Z]\w+"' guest/nvml_wire.c | tr -d '"' | LC_ALL=C sort >"$T/called"
same "the guest makes eleven calls" 11 "$(wc -l <"$T/called")"
same "all of them are in the library that the tests load" "" "$(symbols "$FAKE" | LC_ALL=C comm -13 - "$T/called")"
if [[ -n $LIBRARY ]]; then
    same "all of them are in NVIDIA's" "" "$(symbols "$LIBRARY" | LC_ALL=C comm -13 - "$T/called")"
else
    skip "all of them are in NVIDIA's" "libnvidia-ml1 cannot be fetched"
fi

# --- the box ---

ROOT=$T/base
furnish() { # LIBRARY  as a base volume has it
    local lib
    mkdir -p "$ROOT"/{dev,proc,sys,tmp,fake}
    for lib in $(ldd "$1" | grep -oE '/[^ ]+'); do install -D "$(realpath "$lib")" "$ROOT$lib"; done
    install -D "$1" "$ROOT/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1"
}

# boxed GPUS   in mounts of its own, with a /dev that has nodes of that name
boxed() {
    # shellcheck disable=SC2016 # for the other shell
    unshare --mount bash -euc '
        root=$1 box=$2 dev=$3/olddev
        mkdir -p "$dev" && mount --rbind /dev "$dev" && mount -t tmpfs none /dev
        for d in null zero urandom; do : >"/dev/$d" && mount --bind "$dev/$d" "/dev/$d"; done
        for d in nvidiactl nvidia0 nvidia1; do : >"/dev/$d" && chmod 666 "/dev/$d"; done
        mount --bind "$root" "$root"
        FAKE_NVML=/fake exec "$box" "$root" libnvidia-ml.so.1 "$4"' bash "$ROOT" "$BOX" "$T" "$1" 2>&1
}

if ((EUID != 0)) || ! unshare --mount true 2>/dev/null; then
    skip "the box" "only root can make it"
    finish
fi
chmod 755 "$T"
furnish "$FAKE"
printf 'gpus 2\nprobe 1\n' >"$ROOT/fake/settings"
printf 'facts 2 GPUs, state 01000200, ready 0\nopen 2 GPUs, state 01000200, ready 1\nclose 2 GPUs, state 01000200, ready 0\n' >"$T/want"
boxed 2 >"$T/got"
same "in its box the child answers, and can do nothing else (FAKE probes)" "$(cat "$T/want")" "$(cat "$T/got")"
printf 'nvmlDeviceGetCount_v2 hang\n' >"$ROOT/fake/fault"
same "a call that hangs is ended there too" "facts gpu-driver: nvmlDeviceGetCount_v2 did not return in time" "$(boxed 2)"
rm "$ROOT/fake/fault"
rm "$ROOT/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1"
same "a base without the library" "facts gpu-driver: loading libnvidia-ml.so.1 failed with 4294967295" "$(boxed 1)"
if [[ -n $LIBRARY ]]; then
    furnish "$LIBRARY"
    same "NVIDIA's own library is loaded there, and finds that the node is no driver's (NVML_ERROR_OPERATING_SYSTEM)" \
        "facts gpu-driver: nvmlInit_v2 failed with 17" "$(boxed 1)"
else
    skip "NVIDIA's own library is loaded there" "libnvidia-ml1 cannot be fetched"
fi
finish
