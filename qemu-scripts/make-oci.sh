#!/bin/bash
# Makes an OCI image layout of two layers, as any container tool would: the packages of a group of image.lock,
# and the script that the container runs. `cdvm image pack --oci` takes it from there.
#
# usage: qemu-scripts/make-oci.sh NAME TREE LAYOUT
#   guest/workloads/NAME.oci.json  the image's configuration (its diff_ids are filled in here)
#   guest/workloads/NAME.sh        becomes /usr/bin/NAME
#   guest/workloads/NAME.prune     what of TREE is left out, a pattern of tar a line
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=qemu-scripts/lib.sh
. qemu-scripts/lib.sh

TYPE=application/vnd.oci.image

archive() { # FOLDER OPTION...  a tar in which nothing depends on this machine
    tar -C "$1" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=posix \
        --pax-option=delete=atime,delete=ctime --mode=u=rwX,go=rX "${@:2}" -c .
}

digest() { sha256sum "$1" | cut -d' ' -f1; }

# blob FILE TYPE -> the descriptor; the file becomes a blob of the layout
blob() {
    local sum size
    sum=$(digest "$1") size=$(stat -c %s "$1")
    mv "$1" "$layout/blobs/sha256/$sum"
    printf '{"mediaType":"%s","digest":"sha256:%s","size":%d}' "$2" "$sum" "$size"
}

main() {
    local name=$1 tree=$2 layout=$3 source=guest/workloads/$1 work ids=() layers=() config n
    rm -rf "$layout"
    mkdir -p "$layout/blobs/sha256"
    work=$(mktemp -d "$layout/.work.XXXXXX")
    mkdir -p "$work/script/usr/bin"
    install -m 0755 "$source.sh" "$work/script/usr/bin/$name"
    archive "$tree" --anchored --wildcards --exclude-from="$source.prune" >"$work/0"
    archive "$work/script" >"$work/1"
    for n in 0 1; do
        ids+=("\"sha256:$(digest "$work/$n")\"")
        gzip -1n "$work/$n"
        layers+=("$(blob "$work/$n.gz" "$TYPE.layer.v1.tar+gzip")")
    done
    sed "s/\"diff_ids\": \[\]/\"diff_ids\": [${ids[0]}, ${ids[1]}]/" "$source.oci.json" >"$work/config"
    config=$(blob "$work/config" "$TYPE.config.v1+json")
    printf '{"schemaVersion":2,"mediaType":"%s","config":%s,"layers":[%s,%s]}' "$TYPE.manifest.v1+json" "$config" \
        "${layers[0]}" "${layers[1]}" >"$work/manifest"
    printf '{"schemaVersion":2,"manifests":[%s]}' "$(blob "$work/manifest" "$TYPE.manifest.v1+json")" >"$layout/index.json"
    printf '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
    rm -rf "$work"
}

[[ $# == 3 && -d $2 ]] || die "usage: qemu-scripts/make-oci.sh NAME TREE LAYOUT"
main "$@"
