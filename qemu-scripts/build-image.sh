#!/bin/bash
# Builds the guest image: everything that a launch digest covers, and the volumes of the workloads.
#
#   build/image/kernel             Debian 13's 6.12 cloud kernel
#   build/image/ovmf.fd            AmdSev firmware of Debian sid (the one with a kernel hash table)
#   build/image/initrd             agent, libraries, modules
#   build/image/cmdline.template   the measured command line
#   build/image/NAME.vol           a workload's volume: erofs and its hash tree
#   build/image/NAME.json          its job.json, as in the volume
#   build/image/NAME.volume        its "root:blocks"
#   build/image/smollm2.vol        the demo model's volume, and smollm2.model its card (MODEL=FILE: another's)
#   build/image/NAME.offer         what `cdvm provider` sells with it, where the workload has one
#   build/image/source             which commit this is, for `cdvm image manifest`
#   build/image/packages.lock      the lock in use: every package that went in, with version and SHA-256
#
# The image is a function of the source and of image.lock. Whatever is compiled or packed is compiled or
# packed in build/root, a root unpacked from the packages of group `build`, entered with nothing of this
# machine's but its kernel (qemu-scripts/build-guest.sh runs there); so the same commit gives the same bytes
# on any machine. No root is needed where users may have namespaces, and nothing outside the build folder is
# written. A second run with everything in place does nothing; after a change only what it touches is made.
#
# To add a workload NAME: its job file guest/workloads/NAME.json, its program guest/workloads/NAME.c
# (becomes /bin/NAME), what both need at run time as group NAME in image.packages, then `make lock`. Headers
# and libraries that only its compilation needs go into the same group, if of the same suite (make sees them
# under PACKAGES/NAME, and they are pruned from the volume), or into group `build`.
#
# To add a container NAME that knows nothing of cdvm: group NAME in image.packages, and what
# qemu-scripts/make-oci.sh takes; it is packed by `cdvm image pack --oci`.
#
# usage: qemu-scripts/build-image.sh      (make image)
#   ACPI=open  a release whose kernel takes the host's ACPI tables, into build/image-open: its guests may have
#              several vCPUs, and customers are warned of BadAML (cdvm-attestation(7), guest.acpi)
#   MODEL=FILE, EMBED=FILE  weights for the chat workload, see qemu-scripts/fetch-model.sh
#   B, DEBS, MIRROR, SNAPSHOT, LOCKED, KEYRING as in qemu-scripts/fetch-debs.sh
#   REPO=URL  where others find this source, for the manifests
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=qemu-scripts/lib.sh
. qemu-scripts/lib.sh
# shellcheck source=qemu-scripts/packages.sh
. qemu-scripts/packages.sh
# shellcheck source=qemu-scripts/root.sh
. qemu-scripts/root.sh

ACPI=${ACPI:-off}
IMAGE=$B/image
[[ $ACPI == off ]] || IMAGE=$B/image-$ACPI
COMPILED=(core guest) # what the compiler in the root is given
MADE_MIB=150          # objects, programs, volumes, and their copies in the image folder
INNER=(build-guest make-initrd make-base make-volume kmods lib)

job_files() { # the workloads that the lock has a group for
    local group
    for group in $(lock_groups); do
        if [[ -f guest/workloads/$group.json ]]; then echo "$group"; fi
    done
}

containers() { # the OCI images that the lock has a group for
    local group
    for group in $(lock_groups); do
        if [[ -f guest/workloads/$group.oci.json ]]; then echo "$group"; fi
    done
}

sources() {
    find "${COMPILED[@]}" -type f -name '*.[ch]' | LC_ALL=C sort
    find guest/workloads -maxdepth 1 -name '*.*' ! -name '*.[ch]' | LC_ALL=C sort
    printf '%s\n' Makefile guest/cmdline.template
}

# Inputs and outputs in one digest. Outputs may be large: their times and sizes stand for them.
state() {
    {
        sources | tr '\n' '\0' | xargs -0 sha256sum -- "$LOCK" qemu-scripts/*.sh
        [[ ! -d $B/model/tree ]] || find "$B/model/tree" -type f -printf '%f %s %T@\n' | LC_ALL=C sort
        find "$IMAGE" -maxdepth 1 -type f ! -name '*.manifest' ! -name '.*' ! -name source -printf '%f %s %T@\n' | LC_ALL=C sort
    } | sha256sum | cut -d' ' -f1
}

up_to_date() {
    [[ -f $IMAGE/.state && $(cat "$IMAGE/.state") == "$(state)" ]]
}

# The commit that is checked out, marked where the image's sources or packages differ from it; nothing outside of git.
write_source() {
    local commit
    commit=$(git rev-parse --verify --quiet HEAD 2>/dev/null) || commit=''
    [[ -z $commit || ($LOCK == image.lock && -z $(git status --porcelain -- "${COMPILED[@]}" Makefile qemu-scripts image.lock)) ]] ||
        commit+=-changed
    {
        [[ -z ${REPO:-} ]] || echo "repo = $REPO"
        [[ -z $commit ]] || echo "commit = $commit"
    } >"$IMAGE/source"
}

# --- the root ---

# Groups for which the lock has other packages than are unpacked; all of them with a new build root.
stale_groups() {
    local group groups
    mapfile -t groups < <(lock_groups)
    for group in "${groups[@]}"; do
        if ! is_unpacked build || ! is_unpacked "$group"; then echo "$group"; fi
    done
}

make_root() {
    local group stale
    mapfile -t stale < <(stale_groups)
    for group in "${stale[@]}"; do remove_tree "$(tree_of "$group")"; done
    mkdir -p "$ROOT"
    ((${#stale[@]} == 0)) || need_space "$ROOT" "$(needed_mib "${stale[@]}")"
    for group in "${stale[@]}"; do unpack "$group"; done
    mkdir -p "$ROOT"/{dev,tmp} "$ROOT"/cdvm/{src,out,groups,image}
    [[ -e $ROOT/usr/bin/awk ]] || ln -s mawk "$ROOT/usr/bin/awk" # as its maintainer script would
}

# Only files whose bytes have changed get a new time: make's notion of what to compile is then one of bytes,
# whatever the clone's own times are. What is no longer in the clone goes.
copy_sources() {
    local f to=$ROOT/cdvm/src
    sources >"$to/.now"
    printf 'qemu-scripts/%s.sh\n' "${INNER[@]}" >>"$to/.now"
    while read -r f; do
        cmp -s "$f" "$to/$f" || install -D -m "$(if [[ $f == *.sh ]]; then echo 755; else echo 644; fi)" "$f" "$to/$f"
    done <"$to/.now"
    (cd "$to" && find . -type f ! -name '.*' -printf '%P\n' | LC_ALL=C sort) >"$to/.there"
    LC_ALL=C sort "$to/.now" | LC_ALL=C comm -13 - "$to/.there" | while read -r f; do rm "$to/$f"; done
}

# --- containers: packed as anybody's would be, their volumes made in the root ---

# The digest of everything that its volume is made of.
container_key() { # NAME
    cat "$ROOT/cdvm/groups/$1/.lock" guest/workloads/"$1".* qemu-scripts/make-{oci,volume}.sh provider/{oci,untar,stage,jobfile,packing}.c |
        sha256sum
}

container() { # NAME
    local name=$1 key tree=$ROOT/cdvm/trees/$1 layout=$B/oci/$1
    key=$(container_key "$name")
    if [[ -f $ROOT/cdvm/image/$name.ckey && $(cat "$ROOT/cdvm/image/$name.ckey") == "$key" ]]; then return; fi
    say "packing the container '$name'"
    rm -f "$ROOT/cdvm/image/$name.ckey"
    remove_tree "$tree"
    mkdir -p "$ROOT/cdvm/trees" "$B/oci"
    qemu-scripts/make-oci.sh "$name" "$ROOT/cdvm/groups/$name" "$layout"
    ./cdvm image pack "$name" --oci "$layout" --unpacked "$tree"
    cp "$tree/cdvm/job.json" "$ROOT/cdvm/image/$name.json"
    inside /cdvm/src/qemu-scripts/make-volume.sh --in-place --compress "/cdvm/trees/$name" "/cdvm/image/$name.vol" \
        >"$ROOT/cdvm/image/$name.volume"
    remove_tree "$tree"
    rm -rf "$layout"
    echo "$key" >"$ROOT/cdvm/image/$name.ckey"
}

# --- the image ---

# A volume that an earlier lock had and this one has not must not be offered on. Others' volumes stay.
forget() { # NAME...  those of now
    local name
    if [[ -f $IMAGE/.made ]]; then
        while read -r name; do
            [[ " $* " == *" $name "* ]] || rm -f "$IMAGE/$name".{vol,json,volume,manifest,offer}
        done <"$IMAGE/.made"
    fi
    printf '%s\n' "$@" >"$IMAGE/.made"
}

template() {
    if [[ $ACPI == open ]]; then sed 's/ acpi=off / /' guest/cmdline.template; else cat guest/cmdline.template; fi
}

collect() { # NAME...  with these volumes
    local f name
    forget "$@"
    install -m 0644 "$ROOT"/cdvm/groups/kernel/boot/vmlinuz-* "$IMAGE/kernel"
    install -m 0644 "$ROOT/cdvm/groups/firmware/usr/share/ovmf/OVMF.amdsev.fd" "$IMAGE/ovmf.fd"
    template | install -m 0644 /dev/stdin "$IMAGE/cmdline.template"
    install -m 0644 "$LOCK" "$IMAGE/packages.lock"
    install -m 0644 "$ROOT/cdvm/image/initrd" "$IMAGE/initrd"
    for name in "$@"; do
        f=$ROOT/cdvm/image/$name
        cmp -s "$f.vol" "$IMAGE/$name.vol" || cp --reflink=auto "$f.vol" "$IMAGE/.volume.new"
        [[ ! -f $IMAGE/.volume.new ]] || mv "$IMAGE/.volume.new" "$IMAGE/$name.vol"
        install -m 0644 "$f.volume" "$IMAGE/$name.volume"
        if [[ -f guest/workloads/$name.json ]]; then f=guest/workloads/$name; fi
        install -m 0644 "$f.json" "$IMAGE/$name.json"
        if [[ -f guest/workloads/$name.offer ]]; then install -m 0644 "guest/workloads/$name.offer" "$IMAGE/$name.offer"; fi
    done
}

# --- the model of the chat ---

model_name() { # of its volume
    local from=${MODEL:-smollm2}
    from=$(basename "$from" .gguf | tr -c 'A-Za-z0-9._\n-' '-')
    printf '%s' "${from:0:40}"
}

# The folder that fetch-model.sh has filled, packed where the workloads are: the same bytes anywhere.
pack_model() { # NAME
    local to=$ROOT/cdvm/model
    say "packing the model '$1'"
    rm -rf "$to" "$to.vol"
    cp -al "$B/model/tree" "$to" 2>/dev/null || { rm -rf "$to" && cp -a "$B/model/tree" "$to"; }
    inside /cdvm/src/qemu-scripts/make-volume.sh /cdvm/model /cdvm/model.vol >"$B/model/packed"
    rm -rf "$to"
    mv "$to.vol" "$IMAGE/$1.vol"
    install -m 0644 "$B/model/tree/card.json" "$IMAGE/$1.model"
}

drop_model() { # NAME  that an earlier image had
    [[ -z $1 ]] || rm -f "$IMAGE/$1".{vol,model,manifest}
}

# Guest memory: the volumes are in it twice (as they came, and as files read from them), then the context.
model_memory() { # NAME
    local mib
    mib=$((2 * ($(stat -c %s "$IMAGE/$1.vol") + $(stat -c %s "$IMAGE/chat.vol")) / 1048576))
    echo $(((mib + 512 + 127) / 128 * 128))
}

# Where a folder has any, only what has a template is offered.
other_offers() { # NAME...
    local name
    for name in "$@"; do
        [[ $name == chat || -f $IMAGE/$name.offer ]] || echo "workload = $name" >"$IMAGE/$name.offer"
    done
}

write_offer() { # NAME; "" = no model
    {
        echo "workload = chat"
        echo "model = ${1:-none}"
        echo "kind = chat"
        if [[ -n $1 ]]; then echo "memory = $(model_memory "$1")"; else echo "memory = 512"; fi
    } >"$IMAGE/chat.offer"
}

model() { # WORKLOAD...
    local name='' had=''
    [[ ! -f $IMAGE/.model ]] || had=$(cat "$IMAGE/.model")
    [[ ! -s $B/model/tree/llm.gguf && ! -s $B/model/tree/embed.gguf ]] || name=$(model_name)
    [[ $had == "$name" ]] || drop_model "$had"
    [[ -z $name ]] || pack_model "$name"
    write_offer "$name"
    other_offers "$@"
    echo "$name" >"$IMAGE/.model"
    [[ -z $name ]] || printf 'image: %-16s root   %s  %d KiB\n' "$name.vol" "$(cut -d: -f1 "$B/model/packed")" \
        $(($(stat -c %s "$IMAGE/$name.vol") / 1024))
}

digests() { # NAME...
    local f
    for f in kernel ovmf.fd initrd cmdline.template packages.lock; do
        printf 'image: %-16s sha256 %s  %d KiB\n' "$f" "$(sha256sum <"$IMAGE/$f" | cut -d' ' -f1)" \
            $((($(stat -c %s "$IMAGE/$f") + 1023) / 1024))
    done
    for f in "$@"; do
        printf 'image: %-16s root   %s  %d KiB\n' "$f.vol" "$(cut -d: -f1 "$IMAGE/$f.volume")" \
            $(($(stat -c %s "$IMAGE/$f.vol") / 1024))
    done
}

# What a guest's report says: here for the smallest guest, with no model and no broker.
launch_digests() { # NAME...
    local name append
    [[ -x $B/cdvm ]] || return 0
    for name in "$@"; do
        append=$(sed -e "s/\${work}/$(cat "$IMAGE/$name.volume")/; s/\${model}/none/; s/\${broker}/none/" "$IMAGE/cmdline.template")
        printf 'image: launch digest of %s with 1 vCPU, EPYC-Genoa: %s\n' "$name" \
            "$("$B/cdvm" measure --ovmf "$IMAGE/ovmf.fd" --kernel "$IMAGE/kernel" --initrd "$IMAGE/initrd" \
                --append "$append" --vcpus 1 --vcpu-type EPYC-Genoa)"
    done
}

main() {
    local names name
    [[ $(uname -m) == x86_64 ]] || die "the guest is x86-64 and so must be the machine that builds it"
    [[ $ACPI == off || $ACPI == open ]] || die "ACPI is '$ACPI': off and open are possible"
    mkdir -p "$IMAGE" "$B/apt"
    alone
    write_source
    qemu-scripts/fetch-model.sh
    if up_to_date; then
        say "up to date"
        return
    fi
    rm -f "$IMAGE/.state"
    need_tools unshare:util-linux flock:util-linux mount dpkg-deb:dpkg
    can_enter
    qemu-scripts/fetch-debs.sh fetch
    use_lock
    write_source
    make_root
    copy_sources
    mapfile -t names < <(job_files)
    inside /cdvm/src/qemu-scripts/build-guest.sh "${names[@]}"
    for name in $(containers); do
        container "$name"
        names+=("$name")
    done
    collect "${names[@]}"
    digests "${names[@]}"
    launch_digests "${names[@]}"
    [[ $LOCK == image.lock ]] || say "NOT the image of image.lock, which is no longer served: its packages are those of $LOCK"
    model "${names[@]}"
    state >"$IMAGE/.state"
    say "done"
}

main
