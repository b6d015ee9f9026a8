#!/bin/bash
# Runs inside the root that qemu-scripts/build-image.sh has made, and nowhere else: compiles the agent and
# the workload programs, packs the initrd and the volumes. There is no /proc and no network here.
#
#   /cdvm/src            the sources
#   /cdvm/out            objects and programs, kept for the next time
#   /cdvm/groups/GROUP   the packages of each group of image.lock, unpacked
#   /cdvm/image          what is made: initrd, NAME.vol, NAME.volume
#
# usage: build-guest.sh WORKLOAD...
set -euo pipefail
cd /cdvm/src
# shellcheck source=qemu-scripts/lib.sh
. qemu-scripts/lib.sh

OUT=/cdvm/out
PACKAGES=/cdvm/groups
IMAGE=/cdvm/image

# What a volume does not need of its packages; copyright files stay. A workload may name more patterns, one
# a line, in guest/workloads/NAME.prune.
PRUNE=(
    './.lock' './var/*' './boot/*' './usr/include/*' './usr/share/man/*' './usr/share/info/*' './usr/share/locale/*'
    './usr/share/lintian/*' './usr/share/bug/*' './usr/share/doc-base/*' './usr/share/gdb/*' './usr/share/perl*'
    './usr/share/bash-completion/*' './usr/share/zsh/*' './usr/share/pkgconfig/*' './usr/share/cmake/*'
    './usr/lib/systemd/*' './usr/lib/udev/*' './usr/lib/*/gconv/*' './usr/lib/*/pkgconfig/*' './usr/lib/*/cmake/*'
    './usr/lib/*/*.a' './usr/lib/*/*.o' './usr/lib/*/perl*' './usr/lib/*/engines-3/*' './usr/lib/*/ossl-modules/*'
)

# Other flags or another compiler make other objects.
fresh_objects() {
    local key
    key=$(cat Makefile "$0" /.lock "$PACKAGES"/*/.lock | sha256sum)
    if [[ ! -f $OUT/.key || $(cat "$OUT/.key") != "$key" ]]; then
        rm -rf "$OUT"
        mkdir -p "$OUT"
        echo "$key" >"$OUT/.key"
    fi
}

build() { # MAKE-OPTION...
    make -s CC=gcc CFLAGS='-O2 -ffile-prefix-map=/cdvm/src=.' B="$OUT" PACKAGES="$PACKAGES" "$@" guest-programs
}

compile() {
    local n=0 all line
    fresh_objects
    all=$(build -n | grep -c 'echo "  CC ' || true)
    build -j"$(nproc)" | while read -r line; do
        [[ $line == CC* ]] || continue
        n=$((n + 1))
        progress "compiling" "$n" "$all" "${line##* }"
    done
}

# --- volumes ---

stage() { # NAME TREE  what goes into its volume, as hard links where nothing is changed
    local name=$1 tree=$2 pattern patterns=("${PRUNE[@]}")
    cp -al "$PACKAGES/$name" "$tree"
    if [[ -f guest/workloads/$name.prune ]]; then
        while read -r pattern; do patterns+=("$pattern"); done <guest/workloads/"$name.prune"
    fi
    (
        cd "$tree"
        for pattern in "${patterns[@]}"; do find . -path "$pattern" -delete; done
        find ./usr/share/doc -type f ! -name copyright -delete 2>/dev/null || true
        find ./usr/share/doc -type l -delete 2>/dev/null || true
        find ./usr ./etc -mindepth 1 -type d -empty -delete 2>/dev/null || true
    )
    mkdir -p "$tree/cdvm" "$tree/usr/bin"
    strip --strip-all --remove-section=.note.gnu.build-id -o "$tree/usr/bin/$name" "$OUT/workload-$name"
    cp "guest/workloads/$name.json" "$tree/cdvm/job.json"
}

# The digest of everything that its volume is made of.
volume_key() { # NAME
    cat "$PACKAGES/$1/.lock" "$OUT/workload-$1" guest/workloads/"$1".* qemu-scripts/make-volume.sh "$0" | sha256sum
}

volume() { # NAME
    local name=$1 work=/tmp/volume key
    key=$(volume_key "$name")
    if [[ -f $IMAGE/$name.key && $(cat "$IMAGE/$name.key") == "$key" ]]; then return; fi
    say "packing the volume of '$name'"
    rm -rf "$work" "$IMAGE/$name.key"
    mkdir -p "$work"
    stage "$name" "$work/tree"
    qemu-scripts/make-volume.sh --compress "$work/tree" "$IMAGE/$name.vol" >"$IMAGE/$name.volume"
    rm -rf "$work"
    echo "$key" >"$IMAGE/$name.key"
}

# Volumes of workloads that are no more.
forget() { # NAME...
    local f name
    for f in "$IMAGE"/*.key; do
        name=$(basename "$f" .key)
        [[ ! -f $f || " $* " == *" $name "* ]] || rm -f "$IMAGE/$name".{vol,volume,key}
    done
}

main() {
    local name
    compile
    forget "$@"
    say "packing the initrd"
    qemu-scripts/make-initrd.sh "$OUT/cdvm-guest" "$(echo "$PACKAGES"/kernel/usr/lib/modules/*)" "$IMAGE/initrd"
    for name in "$@"; do volume "$name"; done
}

main "$@"
