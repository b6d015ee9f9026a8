# shellcheck shell=bash
# The root that images are made in: unpacked from the packages of group `build`, entered with nothing of this
# machine's but its kernel. Sourced, after lib.sh and packages.sh.
# shellcheck disable=SC2034 # for those that source this

ROOT=$B/root
GROUPS_AT=$ROOT/cdvm/groups # where the packages of every other group are unpacked

tree_of() { # GROUP
    if [[ $1 == build ]]; then echo "$ROOT"; else echo "$GROUPS_AT/$1"; fi
}

is_unpacked() { # GROUP
    local tree
    tree=$(tree_of "$1")
    [[ -f $tree/.lock ]] && lock_group "$1" | cmp -s - "$tree/.lock"
}

# What the packages of these groups say they take, unpacked, and what is then made of them (MADE_MIB).
needed_mib() { # GROUP...
    local group deb
    for group in "$@"; do
        group_debs "$group" | while read -r deb; do dpkg-deb -f "$deb" Installed-Size; done
    done | awk -v made="$MADE_MIB" '{s += $1} END {print int(s / 1024) + made}'
}

# Debian's merged /usr: packages ship the folders, base-files the links, and not every group has that one.
merged_usr() { # TREE
    local name
    for name in bin lib lib64 sbin; do
        mkdir -p "$1/usr/$name"
        ln -sfn "usr/$name" "$1/$name"
    done
}

unpack() { # GROUP  no maintainer script runs
    local group=$1 tree debs deb n=0
    tree=$(tree_of "$group")
    merged_usr "$tree"
    mapfile -t debs < <(group_debs "$group")
    for deb in "${debs[@]}"; do
        dpkg-deb -x "$deb" "$tree"
        n=$((n + 1))
        progress "unpacking $group" "$n" "${#debs[@]}" "$(basename "${deb%%_*}")"
    done
    lock_group "$group" >"$tree/.lock"
}

remove_tree() { # folders of packages may be closed to their own user
    [[ ! -d $1 ]] || chmod -R u+rwX "$1"
    rm -rf --one-file-system "$1"
}

# inside COMMAND...  in the root: own mounts, processes and host name, no network, a fixed environment.
# INSIDE: folders of the root that stand elsewhere in it too, for this command alone: "FROM TO" each
INSIDE=()
inside() {
    local as=(--map-root-user)
    ((EUID != 0)) || as=()
    # shellcheck disable=SC2016
    printf '%s\n' "${INSIDE[@]}" | unshare "${as[@]}" --mount --net --pid --ipc --uts --fork --kill-child -- bash -euc '
        root=$1 && shift
        for d in null zero random urandom; do : >>"$root/dev/$d" && mount --bind "/dev/$d" "$root/dev/$d"; done
        while read -r from to; do
            [[ -z $from ]] || { mkdir -p "$root$to" && mount --bind "$root$from" "$root$to"; }
        done
        umask 022
        exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin HOME=/ LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH=0 "$@"' \
        bash "$(realpath "$ROOT")" "$@"
}

can_enter() {
    local as=(--map-root-user)
    ((EUID != 0)) || as=()
    unshare "${as[@]}" --mount --net true 2>"$B/apt/unshare.log" ||
        die "the image is made inside a root of its own, and this machine lets '$(id -un)' enter none" \
            "($(head -n 1 "$B/apt/unshare.log")): allow user namespaces (sysctl kernel.unprivileged_userns_clone=1," \
            "kernel.apparmor_restrict_unprivileged_userns=0) or run make image as root"
}

# One at a time in one build folder.
alone() {
    exec 9>>"$B/apt/busy"
    flock -n 9 || { say "another make image works in $B: waiting for it" && flock 9; }
}
