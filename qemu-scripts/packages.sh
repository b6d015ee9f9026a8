# shellcheck shell=bash
# The Debian packages of the guest image, as image.lock names them: "group suite package version sha256" a
# line, sorted. They are kept in DEBS under apt's own file names. Sourced, from the root of the clone.

B=${B:-build}
DEBS=${DEBS:-$B/apt/debs}

# Sets LOCK: image.lock, or what fetch-debs.sh wrote instead of this very image.lock when the mirror no longer
# served all of it. With LOCKED=1 always image.lock.
use_lock() {
    LOCK=image.lock
    INSTEAD=$B/apt/instead-of-$({ cat $LOCK 2>/dev/null || true; } | sha256sum | cut -c1-16).lock
    [[ ${LOCKED:-0} == 1 || ! -s $INSTEAD ]] || LOCK=$INSTEAD
}
use_lock

lock_groups() { # every group, one a line
    cut -d' ' -f1 "$LOCK" | LC_ALL=C sort -u
}

lock_group() { # GROUP -> its lines
    grep "^$1 " "$LOCK" || die "$LOCK names no package of the group '$1': add them to image.packages, then make lock"
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
