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

# progress WHAT DONE ALL [MORE]  a bar that is drawn over on a terminal; elsewhere a line at each tenth
progress() {
    local tenth=$(($2 * 10 / ($3 > 0 ? $3 : 1))) bar='##########..........'
    if [[ -t 1 ]]; then
        printf '\r\033[Kimage: %s [%s] %d of %d%s' "$1" "${bar:10-tenth:10}" "$2" "$3" "${4:+, $4}"
        (($2 < $3)) || printf '\n'
    elif (($2 == $3 || ($2 - 1) * 10 / $3 < tenth)); then
        say "$1 $2 of $3${4:+, $4}"
    fi
}

# The Debian mirror that this machine's apt is set to, so that a proxy or a local one is used here too.
apt_mirror() {
    apt-get update --print-uris 2>/dev/null | sed -n "s|^'\(.*/debian\)/dists/.*|\1|p" | head -n 1
}
