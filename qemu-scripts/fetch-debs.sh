#!/bin/bash
# The Debian packages of the guest image, through a private apt root: the host's sources, lists and package
# state stay as they are, and no root is needed. What the mirror says must be signed by Debian's keyring, and
# what is taken must have the SHA-256 of image.lock. Release files of sid, and of any dated mirror, may be
# old, since the lock pins what is taken.
#
# Debian takes a package off its mirrors when the next version is there. Rather than leave an older clone
# unable to build, fetch then locks what is served now, says so, and takes that (packages.sh, use_lock).
#
# usage: qemu-scripts/fetch-debs.sh fetch   every package of image.lock that is not in DEBS (make image)
#        qemu-scripts/fetch-debs.sh lock    image.lock anew: what the mirror serves now (make lock)
#   B=DIR         build folder (default build)
#   DEBS=DIR      folder of saved packages, looked in first, in which what is fetched is kept
#                 (default B/apt/debs)
#   MIRROR=URL    Debian mirror, instead of the one of this machine's apt configuration
#   SNAPSHOT=...  dated mirror: a time, YYYYMMDDThhmmssZ, on snapshot.debian.org, or the URL of another
#   LOCKED=1      image.lock or nothing: stop where it is no longer served. With SNAPSHOT always so
#   KEYRING=FILE  keys that may sign for the mirror (default: Debian's)
#   SET=base      the packages of base.packages and base.lock instead, which are for the kernel of image.lock
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=qemu-scripts/lib.sh
. qemu-scripts/lib.sh
# shellcheck source=qemu-scripts/packages.sh
. qemu-scripts/packages.sh

KEYRING=$(realpath -m "${KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}")
SNAPSHOTS=https://snapshot.debian.org/archive/debian
APT=$B/apt/root
LISTS_MIB=300 # package lists and apt's index of them, while they are needed
ALONE='kernel firmware headers driver'

# --- the private apt root ---

find_mirror() {
    local url
    case ${SNAPSHOT:-} in
    '') url=${MIRROR:-$(apt_mirror)} ;;
    *:/*) url=$SNAPSHOT ;;
    [0-9]*T[0-9]*Z) url=$SNAPSHOTS/$SNAPSHOT ;;
    *) die "SNAPSHOT='$SNAPSHOT' is neither a time like 20261101T000000Z nor the URL of a mirror" ;;
    esac
    [[ -n $url ]] || die "no Debian mirror in this machine's apt configuration: set MIRROR to one"
    printf '%s' "${url%/}"
}

# What the set names: "group suite package" a line. Modules are built for one kernel, whose ABI is in the names.
named() {
    sed -E "s/#.*//; s/\bABI\b/$(kernel_abi)/" "$SET.packages" | awk 'NF {print $1, $2, $3}'
}

suites() {
    named | cut -d' ' -f2 | LC_ALL=C sort -u
}

write_sources() { # MIRROR
    local suite old components=main
    [[ $SET == image ]] || components+=' contrib non-free non-free-firmware'
    for suite in $(suites); do
        old=''
        [[ $suite != sid && -z ${SNAPSHOT:-} ]] || old=' check-valid-until=no'
        echo "deb [signed-by=${KEYRING// /%20}$old] ${1// /%20} $suite $components"
    done >"$APT/sources.list"
}

# Of the host's apt settings only its proxies are taken.
write_config() {
    local here
    here=$(realpath "$APT")
    apt-config dump | grep -iE '^Acquire::(https?::)?Proxy' || true
    cat <<END
Dir "$here";
Dir::State "$here";
Dir::State::status "$here/status";
Dir::State::lists "$here/lists";
Dir::Cache "$here/cache";
Dir::Etc "$here/etc";
Dir::Etc::sourcelist "$here/sources.list";
Dir::Etc::sourceparts "/dev/null";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
END
}

# Made anew each time: the folder may have moved, and MIRROR may be another. Gone at the end: package lists
# and their index take more room than the packages.
open_apt() {
    [[ -z ${mirror:-} ]] || return 0
    [[ -r $KEYRING ]] || die "there is no keyring $KEYRING: install with: apt-get install debian-archive-keyring"
    mirror=$(find_mirror)
    need_space "$B" "$LISTS_MIB"
    rm -rf "$APT"
    trap 'rm -rf "$APT"' EXIT
    mkdir -p "$APT"/{lists/partial,cache/archives/partial,etc/apt.conf.d,etc/preferences.d,download}
    : >"$APT/status"
    write_sources "$mirror"
    write_config >"$APT/apt.conf"
    APT_CONFIG=$(realpath "$APT/apt.conf")
    export APT_CONFIG
    update_lists
}

# no_network WHAT LOG  what could not be had, apt's own words, and what to do
no_network() {
    grep -E '^(E|W|Err)' "$2" | tail -n 5 >&2 || true
    die "$1 could not be fetched from $mirror (above; all of it: $2). This step needs the network, once:" \
        "run make again when it is there, or name a mirror that can be reached with MIRROR=URL," \
        "or a folder of saved packages with DEBS=DIR"
}

update_lists() {
    local log=$B/apt/update.log
    say "reading package lists ($(suites | paste -sd' ')) of $mirror"
    apt-get -q -o APT::Update::Error-Mode=any update >"$log" 2>&1 ||
        no_network "the package lists of Debian $(suites | paste -sd' ' | sed 's/ / and /')" "$log"
}

# --- make lock ---

wanted() { # GROUP -> "suite package" a line
    named | awk -v group="$1" '$1 == group {print $2, $3}'
}

# The kernel's package name carries its ABI: it is what the suite's package of no version depends on.
alone() { # SUITE PACKAGE... -> package=version
    local suite=$1 package version
    shift
    for package in "$@"; do
        [[ $package != linux-image-cloud-amd64 ]] ||
            package=$(apt-cache -t "$suite" depends "$package" | grep -oE 'linux-image-[0-9].*-cloud-amd64' | head -n 1)
        version=$(apt-cache madison "$package" | awk -F' *[|] *' -v s="$suite/" 'index($3, " " s) {print $2; exit}')
        [[ -n $version ]] || die "the mirror has no package $package in $suite"
        echo "$package=$version"
    done
}

closure() { # SUITE PACKAGE... -> package=version of everything that has to be there
    local suite=$1
    shift
    apt-get -s -t "$suite" install "$@" >"$APT/closure" 2>&1 ||
        { grep -E '^(E:| )' "$APT/closure" >&2; die "apt cannot resolve group '$group' of $SET.packages in $suite (above)"; }
    sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1=\2/p' "$APT/closure"
}

# records SUITE  stdin: package=version; stdout: "group suite package version sha256"
records() {
    xargs apt-cache show | awk -v head="$group $1" '
        $1 == "Package:" {package = $2}
        $1 == "Version:" {version = $2}
        $1 == "SHA256:" {print head, package, version, $2}' | LC_ALL=C sort -u
}

lock_one() { # GROUP
    local group=$1 suite all how=closure
    suite=$(wanted "$group" | cut -d' ' -f1 | sort -u)
    [[ $suite != *$'\n'* ]] || die "$SET.packages: the packages of group '$group' are not all of one suite"
    mapfile -t all < <(wanted "$group" | cut -d' ' -f2)
    [[ " $ALONE " != *" $group "* ]] || how=alone
    "$how" "$suite" "${all[@]}" >"$APT/chosen"
    records "$suite" <"$APT/chosen"
}

make_lock() {
    rm -f "$B"/apt/instead-of-*.lock
    write_lock "$SET.lock"
}

write_lock() { # FILE
    local group groups n=0
    mapfile -t groups < <(named | cut -d' ' -f1 | LC_ALL=C sort -u)
    open_apt
    for group in "${groups[@]}"; do
        lock_one "$group" >>"$APT/lock"
        n=$((n + 1))
        progress "resolving group" "$n" "${#groups[@]}" "$group"
    done
    mv "$APT/lock" "$1"
    say "$1: $(wc -l <"$1") packages, sha256 $(sha256sum "$1" | cut -c1-16)"
}

# --- make image ---

# Each package of the lock once: "package version sha256".
locked() {
    cut -d' ' -f3- "$LOCK" | LC_ALL=C sort -u
}

# Sets gone: the missing packages that the mirror has in this version no longer; and where apt has them all,
# their addresses are in uris.
find_gone() {
    local log=$B/apt/plan.log
    gone=''
    ! apt-get --print-uris download "${missing[@]}" >"$APT/uris" 2>"$log" || return 0
    gone=$(sed -nE "s/^E: Version '([^']*)' for '([^']*)' was not found/\2 \1/p; s/^E: Unable to locate package (.*)/\1/p" "$log" |
        paste -sd, | sed 's/,/, /g')
    [[ -n $gone ]] || no_network "the addresses of the packages" "$log"
}

# When the lock was made, as SNAPSHOT takes it.
lock_time() {
    TZ=UTC git log -1 --format=%cd --date=format-local:%Y%m%dT%H%M%SZ -- "$SET.lock" 2>/dev/null | grep . || echo YYYYMMDDThhmmssZ
}

no_longer_served() {
    die "no longer served by $mirror: $gone. Take what is served now with \`make lock\` (the image is then" \
        "another one), name a folder that holds the saved packages with DEBS=DIR, or a dated mirror with" \
        "SNAPSHOT=$(lock_time)"
}

# What is served now, in the place of the lock. Its image is another one, with other launch digests.
lock_instead() {
    [[ ${LOCKED:-0} != 1 && -z ${SNAPSHOT:-} && $LOCK == "$SET.lock" ]] || no_longer_served
    say "no longer served by $mirror: $gone"
    say "so this image is NOT the one of $SET.lock: it is made of what is served now, and its launch digests" \
        "are others. For the one of $SET.lock: LOCKED=1, with DEBS=DIR or SNAPSHOT=$(lock_time)"
    write_lock "$(instead_of "$SET")"
    use_lock
}

# Sets bytes, the size of what is missing.
plan() {
    bytes=$(awk '{s += $3} END {print s + 0}' "$APT/uris")
    need_space "$DEBS" $((bytes / 1048576 + 1))
}

# apt's "Get:7 URL trixie/main amd64 gcc-14 amd64 14.2.0-19 [540 kB]" as counted progress
show_fetching() {
    local n=0 so_far=0 get file length package
    local -A size=()
    while read -r _ file length _; do size[${file%%_*}]=$length; done <"$APT/uris"
    while read -r get _ _ _ package _; do
        [[ $get == Get:* ]] || continue
        n=$((n + 1)) so_far=$((so_far + ${size[$package]:-0}))
        progress "fetching package" "$n" "${#missing[@]}" "$((so_far / 1048576)) of $((bytes / 1048576)) MiB, $package"
    done
}

download() {
    local log=$PWD/$B/apt/download.log
    [[ $B != /* ]] || log=$B/apt/download.log
    (cd "$APT/download" && apt-get -q download "${missing[@]}" 2>&1) | tee "$log" | show_fetching ||
        no_network "the packages ${missing[*]}" "$log"
}

# Under apt's own name, whatever the mirror calls it; only with the right SHA-256.
keep() {
    local f package version arch sum
    for f in "$APT"/download/*.deb; do
        # shellcheck disable=SC2016 # dpkg's own fields
        read -r package version arch < <(dpkg-deb -W --showformat='${Package} ${Version} ${Architecture}\n' "$f")
        sum=$(sha256sum <"$f" | cut -d' ' -f1)
        locked | grep -xF "$package $version $sum" >/dev/null ||
            die "$mirror serves $package $version with the SHA-256 $sum, which is not the one in $LOCK: nothing of it was kept"
        mv "$f" "$DEBS/${package}_${version//:/%3a}_$arch.deb"
    done
}

# Sets missing; stops at a saved package that is not what the lock names.
find_missing() {
    local package version sum path
    missing=()
    : >"$B/apt/have"
    while read -r package version sum; do
        path=$(deb_path "$package" "$version")
        if [[ -z $path ]]; then missing+=("$package=$version"); else echo "$sum  $path" >>"$B/apt/have"; fi
    done < <(locked)
    [[ ! -s $B/apt/have ]] || sha256sum --quiet -c "$B/apt/have" >"$B/apt/bad" 2>/dev/null ||
        die "$(head -n 1 "$B/apt/bad" | cut -d: -f1) has not the SHA-256 that $LOCK names: delete it to have it fetched again"
}

# Every package that the set names; the kernel's has another name in the lock.
lock_is_whole() {
    local line
    [[ -s $LOCK ]] || die "there is no $LOCK: make lock writes it"
    line=$(named | awk '$1 != "kernel"' | while read -r line; do
        grep -qF "$line " "$LOCK" || { echo "$line" && break; }
    done)
    [[ -z $line ]] || die "$SET.packages names '$line', which $LOCK has not: make lock writes it anew"
}

# The base of an image that is not the one of image.lock is for that one's kernel.
follow_image() {
    [[ $SET != image && $LOCK == "$SET.lock" && $(in_use image) != image.lock ]] || return 0
    open_apt
    write_lock "$(instead_of "$SET")"
    use_lock
}

fetch() {
    local missing=() bytes gone
    follow_image
    lock_is_whole
    find_missing
    ((${#missing[@]})) || return 0
    open_apt
    find_gone
    if [[ -n $gone ]]; then
        lock_instead
        find_missing
        ((${#missing[@]})) || return 0
        find_gone
        [[ -z $gone ]] || no_longer_served
    fi
    plan
    download
    keep
}

main() {
    need_tools apt-get:apt apt-cache:apt dpkg-deb:dpkg sha256sum:coreutils
    mkdir -p "$DEBS" "$B/apt"
    "$1"
}

case ${1:-} in
fetch) main fetch ;;
lock) main make_lock ;;
*) die "usage: qemu-scripts/fetch-debs.sh fetch|lock" ;;
esac
