# shellcheck shell=bash
# What the image scripts share: progress lines, refusals, and the checks made before any work.

say() {
    printf 'image: %s\n' "$*"
}

die() {
    printf 'image: %s\n' "$*" >&2
    exit 1
}

# need_tools TOOL[:PACKAGE]...  names every missing package at once
need_tools() {
    local t missing=()
    for t in "$@"; do
        PATH=$PATH:/usr/sbin:/sbin command -v "${t%%:*}" >/dev/null || missing+=("${t##*:}")
    done
    ((${#missing[@]} == 0)) || die "missing tools: install with: apt-get install ${missing[*]}"
}

# need_space FOLDER MIB
need_space() {
    local free
    free=$(($(stat -f -c '%a * %S' "$1") / 1048576))
    ((free >= $2)) || die "$1 has $free MiB free and this needs $2 MiB: free some space or set B= to another folder"
}

# hash_of FILE...  one digest over the names and contents, for "is everything as it was?"
hash_of() {
    sha256sum -- "$@" 2>/dev/null | sha256sum | cut -d' ' -f1
}
