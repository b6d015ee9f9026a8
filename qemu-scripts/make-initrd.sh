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

# What the measured image can drive: disks under dm-verity (with the CPU's own SHA-256 where it has one), those
# of sealed models under dm-crypt too (with the CPU's own AES), the report interfaces, and nothing else. Each
# brings in what its own .modinfo names.
MODULES=(virtio_blk sha256_ssse3 dm_verity xts aesni_intel dm_crypt erofs configfs tsm sev_guest)

module_file() { # NAME, with - and _ alike
    local pattern=${1//[-_]/[-_]}
    find "$src/kernel" -name "$pattern.ko" -o -name "$pattern.ko.xz" -o -name "$pattern.ko.zst" | head -n 1
}

unpack() { # FILE OUT
    case $1 in
    *.xz) xz -dc "$1" ;;
    *.zst) zstd -qdc "$1" ;;
    *) cat "$1" ;;
    esac >"$2"
}

depends_of() { # FILE -> names, one a line
    objcopy -O binary --only-section=.modinfo "$1" "$1.info"
    tr '\0' '\n' <"$1.info" | sed -n 's/^depends=//p' | tr ',' '\n'
}

# Depth first, so that the numbered names give the order of loading.
add_module() { # NAME
    local name=${1//-/_} file raw dep depends
    [[ -z ${seen[$name]:-} ]] || return 0
    seen[$name]=1
    file=$(module_file "$name")
    [[ -n $file ]] || die "the kernel package has no module $name"
    raw=$work/$name.ko
    unpack "$file" "$raw"
    depends=$(depends_of "$raw")
    for dep in $depends; do add_module "$dep"; done
    strip --strip-debug -o "$root/modules/$(printf '%02d' "$count")-$name.ko" "$raw"
    count=$((count + 1))
}

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
    local agent=$1 src=$2 out=$3 root work count=0
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
    for m in "${MODULES[@]}"; do add_module "$m"; done
    pack
}

[[ $# == 3 ]] || die "usage: qemu-scripts/make-initrd.sh AGENT MODULES OUT"
main "$@"
