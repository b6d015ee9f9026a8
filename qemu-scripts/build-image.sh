#!/bin/bash
# Builds the guest image: everything that a launch digest covers, and the volume of the table workload.
#
#   build/image/kernel             Debian 13's 6.12 cloud kernel
#   build/image/ovmf.fd            AmdSev firmware of Debian sid (the one with a kernel hash table)
#   build/image/initrd             agent, libraries, modules
#   build/image/cmdline.template   the measured command line
#   build/image/table.vol          workload volume: erofs and its hash tree
#   build/image/table.json         its job.json, as in the volume
#   build/image/table.volume       its "root:blocks"
#   build/image/packages.lock      every package that went in, with version and SHA-256
#
# No root is needed and nothing outside the build folder is written. A second run with everything in place
# does nothing.
#
# usage: qemu-scripts/build-image.sh      (make image)
#   B=DIR       build folder (default build); holds cdvm-guest and workload-table
#   MIRROR=URL  Debian mirror, instead of the one of this machine's apt configuration
#   LOCK=FILE   rebuild from these packages and refuse any others
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=qemu-scripts/lib.sh
. qemu-scripts/lib.sh

B=${B:-build}
IMAGE=$B/image
APT=$B/apt
LOCK_OUT=$IMAGE/packages.lock
PROGRAMS=("$B/cdvm-guest" "$B/workload-table")
SOURCES=(qemu-scripts/*.sh guest/workloads/table.json guest/cmdline.template)
OUTPUTS=(kernel ovmf.fd initrd cmdline.template table.vol table.json table.volume packages.lock)
NEED_MIB=400

libraries() { # every shared library of the programs, once
    ldd "${PROGRAMS[@]}" | grep -oE '/[^ ]+\.so[^ ]*' | LC_ALL=C sort -u
}

# state of inputs and outputs in one digest
state() {
    local libs
    mapfile -t libs < <(libraries)
    hash_of "${PROGRAMS[@]}" "${SOURCES[@]}" "${libs[@]}" "${OUTPUTS[@]/#/$IMAGE/}"
}

up_to_date() {
    [[ -z ${LOCK:-} && -f $IMAGE/.state && $(cat "$IMAGE/.state") == "$(state)" ]]
}

host_lines() { # "host package version sha256 path" of each library
    local lib real package
    for lib in $(libraries); do
        real=$(realpath "$lib")
        package=$(dpkg -S "$real" 2>/dev/null || dpkg -S "${real#/usr}" 2>/dev/null || echo "unknown: $real")
        package=${package%%: *}
        printf 'host %s %s %s %s\n' "$package" \
            "$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null || echo unknown)" \
            "$(sha256sum <"$real" | cut -d' ' -f1)" "$lib"
    done
}

# With LOCK, this machine's libraries must be the ones named there.
write_lock() {
    { grep -v '^host ' "$LOCK_OUT" && host_lines; } >"$LOCK_OUT.new"
    if [[ -n ${LOCK:-} ]] && ! diff "$LOCK" "$LOCK_OUT.new" >&2; then
        die "the packages of this machine are not the ones in $LOCK (differences above)"
    fi
    mv "$LOCK_OUT.new" "$LOCK_OUT"
}

unpack() {
    local deb tree=$APT/unpacked
    if [[ ! -f $tree/.lock ]] || ! cmp -s "$tree/.lock" <(grep -v '^host ' "$LOCK_OUT"); then
        say "unpacking kernel and firmware"
        rm -rf "$tree"
        mkdir -p "$tree"
        while read -r _ package version _; do
            deb=$APT/debs/${package}_${version//:/%3a}.deb
            dpkg-deb -x "$deb" "$tree"
        done < <(grep -v '^host ' "$LOCK_OUT")
        grep -v '^host ' "$LOCK_OUT" >"$tree/.lock"
    fi
    install -m 0644 "$tree"/boot/vmlinuz-* "$IMAGE/kernel"
    install -m 0644 "$tree/usr/share/ovmf/OVMF.amdsev.fd" "$IMAGE/ovmf.fd"
}

table_volume() {
    local lib tree
    tree=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$tree'" EXIT
    mkdir -p "$tree/bin" "$tree/cdvm"
    strip --strip-all --remove-section=.note.gnu.build-id -o "$tree/bin/table" "$B/workload-table"
    for lib in $(ldd "$B/workload-table" | grep -oE '/[^ ]+'); do
        install -D -m 0755 "$(realpath "$lib")" "$tree$lib"
    done
    install -m 0644 guest/workloads/table.json "$tree/cdvm/job.json"
    install -m 0644 guest/workloads/table.json "$IMAGE/table.json"
    qemu-scripts/make-volume.sh "$tree" "$IMAGE/table.vol" >"$IMAGE/table.volume.new"
    mv "$IMAGE/table.volume.new" "$IMAGE/table.volume"
}

main() {
    [[ $(uname -m) == x86_64 ]] || die "the guest is x86-64 and so must be the machine that builds it"
    for p in "${PROGRAMS[@]}"; do [[ -x $p ]] || die "$p is missing: run make first"; done
    if up_to_date; then
        say "up to date"
        return
    fi
    need_tools apt-get:apt cpio strip:binutils xz:xz-utils mkfs.erofs:erofs-utils veritysetup:cryptsetup-bin
    mkdir -p "$IMAGE" "$APT"
    need_space "$IMAGE" "$NEED_MIB"
    [[ -z ${LOCK:-} ]] || cp "$LOCK" "$LOCK_OUT"
    qemu-scripts/fetch-debs.sh "$APT" "$LOCK_OUT"
    write_lock
    unpack
    say "packing the initrd"
    qemu-scripts/make-initrd.sh "$B/cdvm-guest" "$(echo "$APT"/unpacked/usr/lib/modules/*)" "$IMAGE/initrd"
    say "packing the table workload"
    table_volume
    install -m 0644 guest/cmdline.template "$IMAGE/cmdline.template"
    state >"$IMAGE/.state"
    say "done: initrd $(($(stat -c %s "$IMAGE/initrd") / 1024)) KiB, table volume $(cut -c1-12 "$IMAGE/table.volume")..."
}

main
