#!/bin/bash
# Packs a folder into a workload or model volume: erofs with the dm-verity hash tree behind the data in the
# same file, in the fixed geometry of cdvm-protocol(7), "Verity". The same tree gives the same bytes, wherever
# and whenever this runs. Prints the reference "root:blocks" that goes on the measured command line.
#
# usage: qemu-scripts/make-volume.sh [--in-place] [--compress] TREE OUT
#   --in-place  TREE itself is made what a volume holds, not a copy of it
#   --compress  with LZ4: the guest copies a volume into memory before it starts, and of programs that is less
#               than half; weights do not get smaller
set -euo pipefail
# shellcheck source=qemu-scripts/lib.sh
. "$(dirname "$0")/lib.sh"

BLOCK=4096
SALT=$(printf '%064d' 0)
UUID=00000000-0000-4000-8000-000000000001

copy() { # TREE
    tree=$work/tree
    mkdir -p "$tree"
    cp -a --no-preserve=ownership -- "$1/." "$tree/" # groups of its owner need not be there inside a namespace
}

furnish() { # what every volume has, and modes that do not depend on the umask
    mkdir -p "$tree"/{cdvm,dev,in,model,out,proc,tmp}
    printf 'cdvm-volume/1\n' >"$tree/cdvm/volume"
    chmod -R u=rwX,go=rX "$tree"
}

make_erofs() {
    mkfs.erofs -T 0 -U "$UUID" --all-root -x -1 "${compression[@]}" "$image" "$tree" >"$work/log" 2>&1 ||
        { cat "$work/log" >&2; die "mkfs.erofs failed"; }
    truncate -s "%$BLOCK" "$image"
}

add_tree() { # BLOCKS -> root hash
    veritysetup format --no-superblock --hash-offset=$(($1 * BLOCK)) --data-blocks="$1" \
        --data-block-size=$BLOCK --hash-block-size=$BLOCK --hash=sha256 --salt="$SALT" \
        "$image" "$image" | awk -F: '/^Root hash/ {gsub(/[ \t]/, "", $2); print $2}'
}

main() {
    local image=$2.new tree=$1 blocks root
    PATH=$PATH:/usr/sbin:/sbin
    need_tools mkfs.erofs:erofs-utils veritysetup:cryptsetup-bin
    umask 022
    rm -f "$image"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    ((in_place)) || copy "$1"
    furnish
    make_erofs
    blocks=$(($(stat -c %s "$image") / BLOCK))
    root=$(add_tree "$blocks")
    [[ $root =~ ^[0-9a-f]{64}$ ]] || die "veritysetup gave no root hash"
    mv "$image" "$2"
    printf '%s:%s\n' "$root" "$blocks"
}

in_place=0 compression=()
while [[ ${1:-} == --* ]]; do
    case $1 in
    --in-place) in_place=1 ;;
    --compress) compression=('-zlz4hc,9' -C65536) ;;
    *) break ;;
    esac
    shift
done
[[ $# == 2 && -d $1 ]] || die "usage: qemu-scripts/make-volume.sh [--in-place] [--compress] TREE OUT"
main "$@"
