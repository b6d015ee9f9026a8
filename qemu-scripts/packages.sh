# shellcheck shell=bash
# The Debian packages of the guest image, as image.lock names them: "group suite package version sha256" a
# line, sorted. They are kept in DEBS under apt's own file names. Sourced, from the root of the clone.

B=${B:-build}
LOCK=image.lock
DEBS=${DEBS:-$B/apt/debs}

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
