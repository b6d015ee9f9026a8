#!/bin/bash
# Builds the program, runs its unit tests, builds the guest image and runs the headless demo, inside a
# Debian 13 root made by mmdebstrap. The image must have the same bytes there as here. The root is cached
# outside the tree, named by its package list; the image's packages are those that this machine has fetched.
# TAP output.
set -u
cd "$(dirname "$0")/../.." || exit 1
if ((EUID != 0)) || ! command -v mmdebstrap >/dev/null; then
    echo "ok 1 - debian 13 # SKIP needs root and mmdebstrap"
    exit 0
fi

cache=${XDG_CACHE_HOME:-$HOME/.cache}/cdvm-tests
packages=$(qemu-scripts/install-deps.sh test --print | sort | paste -sd,)
root_tar=$cache/debian13-$(printf '%s' "$packages" | sha256sum | cut -c1-12).tar
mkdir -p "$cache"
if [[ ! -s $root_tar ]]; then
    echo "# making a Debian 13 root (some minutes, once)"
    if ! mmdebstrap --quiet --format=tar --variant=apt --include="$packages" \
        --aptopt='APT::Install-Recommends "false"' trixie "$root_tar.part" >"$cache/mmdebstrap.log" 2>&1; then
        sed 's/^/# /' "$cache/mmdebstrap.log" | tail -n 20
        echo "not ok 1 - debian 13 root"
        exit 1
    fi
    rm -f "$cache"/debian13-*.tar # of other package lists
    mv "$root_tar.part" "$root_tar"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/cdvm-debian13.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
B=${B:-build}
tar -C "$work" -xf "$root_tar"
mkdir "$work/src"
commit=$(git rev-parse HEAD)
git archive "$commit" | tar -C "$work/src" -x

# Own mount and pid namespaces: whatever the build leaves running ends with them.
inside() {
    # shellcheck disable=SC2016
    unshare --mount --pid --fork --kill-child --mount-proc="$work/proc" sh -c '
        mount --rbind "$1" "$1" && mount --rbind /dev "$1/dev" && shift_root=$1 && shift &&
        exec chroot "$shift_root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
            sh -c "cd /src && $*"' sh "$work" "$@"
}
n=0
step() {
    n=$((n + 1))
    local what=$1 log=$cache/debian13-$n.log
    shift
    if inside "$@" >"$log" 2>&1; then echo "ok $n - debian 13: $what"; else
        tail -n 30 "$log" | sed 's/^/# /'
        echo "not ok $n - debian 13: $what"
    fi
}
step "builds without a warning" make -j2 DEPS=0 all
step "unit tests pass" make -j2 DEPS=0 unit VECTORS=/nonexistent

# The image of the same commit, here and there, of the same packages.
debs=$(realpath -m "${DEBS:-$B/apt/debs}")
here=$work/here
mkdir -p "$here" "$debs"
git archive "$commit" | tar -C "$here" -x
cp -p cdvm "$here/"
(cd "$here" && MODEL=none EMBED=none B=b DEBS=$debs qemu-scripts/build-image.sh) >"$cache/debian13-here.log" 2>&1 ||
    sed 's/^/# /' "$cache/debian13-here.log"
mkdir -p "$work/src/build/apt"
cp -r "$debs" "$work/src/build/apt/debs"
step "the guest image builds" make DEPS=0 MODEL=none EMBED=none image
for f in "$here"/b/image/*; do
    f=${f##*/}
    n=$((n + 1))
    if cmp "$here/b/image/$f" "$work/src/build/image/$f" 2>&1 | sed 's/^/# /' | grep .; then
        echo "not ok $n - debian 13: the same bytes as here: $f"
    else echo "ok $n - debian 13: the same bytes as here: $f"; fi
done
step "the demo runs" make DEPS=0 demo-headless
sed 's/^/# /' "$cache/debian13-$n.log" | grep -E 'VERDICT|sha256|emulated|KVM'
echo "1..$n"
