#!/bin/bash
# Packs the guest's initrd: the agent, the libraries it is linked with, and the kernel modules it loads. Runs
# inside the root that qemu-scripts/build-image.sh has made: there is no /proc and no /dev/stdout.
# The same inputs give the same bytes, wherever and whenever this runs: names are sorted, times, owners and
# inode numbers fixed, debug information and build identifiers (which hold folder names) taken out.
#
# usage: qemu-scripts/make-initrd.sh AGENT MODULES OUT
#   MODULES  .../lib/modules/<version> of the unpacked kernel package
set -euo pipefail
# shellcheck source=qemu-scripts/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu-scripts/kmods.sh
. "$(dirname "$0")/kmods.sh"

add_libraries() { # PROGRAM
    local lib
    for lib in $(ldd "$1" | grep -oE '/[^ ]+'); do
        install -D -m 0755 "$(realpath "$lib")" "$root$lib"
    done
}

pack() {
    find "$root" -exec touch -h -d @0 {} +
    (cd "$root" && find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort |
        cpio --quiet --reproducible --owner=0:0 -H newc -o) >"$out.new"
    mv "$out.new" "$out"
}

main() {
    local agent=$1 out=$3 root work to count=0 folders=("$2/kernel")
    local -A seen=()
    need_tools cpio strip:binutils xz:xz-utils ldd:libc-bin
    umask 022
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$work'" EXIT
    root=$work/root
    mkdir -p "$root"/{dev,modules,proc,run,sys}
    strip --strip-all --remove-section=.note.gnu.build-id -o "$root/init" "$agent"
    add_libraries "$agent"
    to=$root/modules
    for m in "${INITRD_MODULES[@]}"; do add_module "$m"; done
    pack
}

[[ $# == 3 ]] || die "usage: qemu-scripts/make-initrd.sh AGENT MODULES OUT"
main "$@"
