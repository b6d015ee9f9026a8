# shellcheck shell=bash
# Kernel modules as the agent loads them: uncompressed, without debug information, under names that give the
# order. Sourced, by what packs the initrd and the base volume; callers set
#   folders   where modules are looked for, trees of a kernel package among them
#   to        folder that they are put into
#   work      scratch folder
#   seen      associative array of the names that are there
#   count     how many have been put there
# shellcheck disable=SC2154,SC2004 # they are the callers'

# What the initrd holds: disks under dm-verity (with the CPU's own SHA-256 where it has one), those of sealed
# models under dm-crypt too (with the CPU's own AES), the report interfaces, and nothing else. Each brings in
# what its own .modinfo names.
# shellcheck disable=SC2034 # for those that source this
INITRD_MODULES=(virtio_blk sha256_ssse3 dm_verity xts aesni_intel dm_crypt erofs configfs tsm sev_guest)

module_file() { # NAME, with - and _ alike
    local pattern=${1//[-_]/[-_]}
    find "${folders[@]}" -name "$pattern.ko" -o -name "$pattern.ko.xz" -o -name "$pattern.ko.zst" | head -n 1
}

unpack_module() { # FILE OUT
    case $1 in
    *.xz) xz -dc "$1" ;;
    *.zst) zstd -qdc "$1" ;;
    *) cat "$1" ;;
    esac >"$2"
}

modinfo_of() { # FILE KEY -> its values, one a line
    objcopy -O binary --only-section=.modinfo "$1" "$1.info"
    tr '\0' '\n' <"$1.info" | sed -n "s/^$2=//p"
}

# Depth first, so that the numbered names give the order of loading.
add_module() { # NAME
    local name=${1//-/_} file raw dep depends
    [[ -z ${seen[$name]:-} ]] || return 0
    seen[$name]=1
    file=$(module_file "$name")
    [[ -n $file ]] || die "the kernel package has no module $name"
    raw=$work/$name.ko
    unpack_module "$file" "$raw"
    depends=$(modinfo_of "$raw" depends | tr ',' '\n')
    for dep in $depends; do add_module "$dep"; done
    strip --strip-debug -o "$to/$(printf '%02d' "$count")-$name.ko" "$raw"
    count=$((count + 1))
}
