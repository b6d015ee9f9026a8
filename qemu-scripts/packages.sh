# shellcheck shell=bash
# The Debian packages of the guest image, as image.lock names them: "group suite package version sha256" a
# line, sorted. They are kept in DEBS under apt's own file names. Sourced, from the root of the clone.
# SET=base: those of the base volume, of base.packages and base.lock, which `make base` alone fetches.

B=${B:-build}
SET=${SET:-image}
DEBS=${DEBS:-$B/apt/debs}

# What fetch-debs.sh writes instead of this very lock when the mirror no longer serves all of it. The base is
# for one kernel: the image's.
instead_of() { # SET
    local of=("$1.lock")
    [[ $1 == image ]] || of+=("$(in_use image)")
    echo "$B/apt/instead-of-$({ cat "${of[@]}" 2>/dev/null || true; } | sha256sum | cut -c1-16).lock"
}

in_use() { # SET -> its lock; with LOCKED=1 always that of the source
    local instead
    instead=$(instead_of "$1")
    if [[ ${LOCKED:-0} == 1 || ! -s $instead ]]; then echo "$1.lock"; else echo "$instead"; fi
}

use_lock() { # sets LOCK
    LOCK=$(in_use "$SET")
}
use_lock

# As in the names of the kernel's packages: 6.12.117+deb13
kernel_abi() {
    sed -nE 's/^kernel [^ ]+ linux-image-(.*)-cloud-amd64 .*/\1/p' "$(in_use image)"
}

lock_groups() { # every group, one a line
    cut -d' ' -f1 "$LOCK" | LC_ALL=C sort -u
}

lock_group() { # GROUP -> its lines
    grep "^$1 " "$LOCK" || die "$LOCK names no package of the group '$1': add them to $SET.packages, then make lock"
}

# deb_path PACKAGE VERSION -> where it is kept; empty where it is not there
deb_path() {
    local f
    for f in "$DEBS/$1_${2//:/%3a}"_{amd64,all}.deb; do
        if [[ -f $f ]]; then printf '%s' "$f"; fi
    done
}

group_debs() { # GROUP -> the files of its packages, one a line
    local package version
    lock_group "$1" | while read -r _ _ package version _; do
        printf '%s\n' "$(deb_path "$package" "$version")"
    done
}
