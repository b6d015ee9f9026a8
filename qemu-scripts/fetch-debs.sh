#!/bin/bash
# Fetches the guest's kernel and firmware packages with a private apt root: the host's sources, lists and
# package state stay as they are, and no root is needed. Signatures are checked with Debian's keyring;
# for sid alone an old Release file is accepted, since the lock pins what is taken.
#
# usage: qemu-scripts/fetch-debs.sh DIR LOCK
#   DIR   private apt root; packages end up in DIR/debs
#   LOCK  lines "suite package version sha256"; written when absent, obeyed when present
# MIRROR=URL overrides the Debian mirror of the host's own apt configuration.
set -euo pipefail
# shellcheck source=qemu-scripts/lib.sh
. "$(dirname "$0")/lib.sh"

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# The host's own mirror, so that a proxy or a local mirror set up there is used here too.
find_mirror() {
    local url
    url=${MIRROR:-$(apt-get update --print-uris 2>/dev/null |
        sed -n "s|^'\(.*/debian\)/dists/.*|\1|p" | head -n 1)}
    [[ -n $url ]] || die "no Debian mirror in this machine's apt configuration: set MIRROR to one"
    printf '%s' "${url%/}"
}

write_config() {
    local mirror
    mirror=$(find_mirror)
    [[ -r $KEYRING ]] || die "missing tools: install with: apt-get install debian-archive-keyring"
    mkdir -p lists/partial cache/archives/partial etc/apt.conf.d etc/preferences.d debs
    : >status
    cat >sources.list <<EOF
deb [signed-by=$KEYRING] $mirror trixie main
deb [signed-by=$KEYRING check-valid-until=no] $mirror sid main
EOF
    # Of the host's apt settings only its proxies are taken.
    apt-config dump | grep -iE '^Acquire::(https?::)?Proxy' >apt.conf.new || true
    cat >>apt.conf.new <<EOF
Dir "$PWD";
Dir::State "$PWD";
Dir::State::status "$PWD/status";
Dir::State::lists "$PWD/lists";
Dir::Cache "$PWD/cache";
Dir::Etc "$PWD/etc";
Dir::Etc::sourcelist "$PWD/sources.list";
Dir::Etc::sourceparts "/dev/null";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
EOF
    mv apt.conf.new apt.conf
}

# field PACKAGE=VERSION NAME -> that field of its package record
field() {
    apt-cache show "$1" | awk -v want="$2: " 'index($0, want) == 1 {print substr($0, length(want) + 1); exit}'
}

# newest_in SUITE PACKAGE -> version
newest_in() {
    apt-cache madison "$2" | awk -F' *[|] *' -v suite="$1/" 'index($3, " " suite) {print $2; exit}'
}

# The kernel's package name carries its ABI: it is what the suite's meta package depends on.
kernel_package() {
    local v
    v=$(newest_in trixie linux-image-cloud-amd64)
    [[ -n $v ]] || return 0
    field "linux-image-cloud-amd64=$v" Depends | grep -oE 'linux-image-6\.12\.[^ ,]*-cloud-amd64' | head -n 1
}

lock_line() { # SUITE PACKAGE
    local v sum
    v=$(newest_in "$1" "$2")
    [[ -n $v ]] || die "the mirror has no package $2 in $1"
    sum=$(field "$2=$v" SHA256)
    printf '%s %s %s %s\n' "$1" "$2" "$v" "$sum"
}

# no_network WHAT LOG  what could not be had, apt's own words, and what to do
no_network() {
    grep -E '^(E|W|Err)' "$2" | tail -n 5 >&2 || true
    die "$1 could not be fetched from $(mirror_now) (above; all of it: $2). This step needs the network, once:" \
        "run make again when it is there, or name a mirror that can be reached with MIRROR=URL"
}

mirror_now() {
    awk '/ trixie / {print $(NF - 2)}' sources.list
}

# Written anew each time: the folder may have moved, and MIRROR may be another.
use_apt() {
    [[ ${APT_CONFIG:-} != "$PWD/apt.conf" ]] || return 0
    write_config
    export APT_CONFIG=$PWD/apt.conf
}

update_lists() {
    use_apt
    say "reading package lists (trixie, sid)"
    apt-get -q -o APT::Update::Error-Mode=any update >update.log 2>&1 ||
        no_network "the package lists of Debian trixie and sid" "$PWD/update.log"
}

write_lock() {
    local kernel
    kernel=$(kernel_package)
    [[ -n $kernel ]] || die "the mirror has no 6.12 cloud kernel in trixie"
    { lock_line trixie "$kernel" && lock_line sid ovmf-amdsev; } >"$1.new"
    mv "$1.new" "$1"
}

deb_path() { # PACKAGE VERSION -> where it is kept, whatever apt calls it
    printf 'debs/%s_%s.deb' "$1" "${2//:/%3a}"
}

deb_ok() { # PATH SHA256
    [[ -f $1 ]] && printf '%s  %s\n' "$2" "$1" | sha256sum --status -c -
}

fetch_one() { # SUITE PACKAGE VERSION SHA256
    local path
    path=$(deb_path "$2" "$3")
    deb_ok "$path" "$4" && return
    use_apt
    compgen -G 'lists/*_Packages' >/dev/null || update_lists
    say "fetching $2 $3"
    rm -rf download && mkdir download
    if ! (cd download && apt-get -q download "$2=$3" >../download.log 2>&1); then
        if grep -qE "^E: (Version|Unable to locate|Can't find)" download.log; then
            die "$2 $3 is no longer on the mirror: delete $lock to take what is current (the image then differs)"
        fi
        no_network "the package $2 $3" "$PWD/download.log"
    fi
    mv download/*.deb "$path" && rmdir download
    deb_ok "$path" "$4" || die "$2 $3 has not the SHA-256 that the lock file names"
}

main() {
    local dir=$1 lock suite package version sum
    mkdir -p "$dir"
    lock=$(realpath -m "$2")
    cd "$dir"
    need_tools apt-get:apt apt-cache:apt dpkg-deb:dpkg sha256sum:coreutils
    if [[ ! -f $lock ]]; then
        update_lists
        write_lock "$lock"
    fi
    while read -r suite package version sum; do
        [[ $suite == host ]] || fetch_one "$suite" "$package" "$version" "$sum"
    done <"$lock"
}

[[ $# == 2 ]] || die "usage: qemu-scripts/fetch-debs.sh DIR LOCK"
main "$@"
