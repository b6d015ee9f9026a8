# shellcheck shell=bash
# A machine with SEV-SNP as far as files can describe one, in a mount namespace: what /proc, /dev and, with a GPU,
# /sys, /run and /var/lib show. QEMU is snp_qemu.py, which has a real one behind it. Source it after lib.sh.
H=$T/host

# host_qemu REAL   the QEMU of that machine is $H/qemu/qemu
host_qemu() {
    mkdir -p "$H/qemu"
    cp tests/e2e/snp_qemu.py "$H/qemu/qemu" && cp "$1" "$H/qemu/real" && echo "$H/qemu/real" >"$H/qemu/REAL"
    chmod 755 "$T" "$H" # guests run as nobody
    chmod 777 "$H/qemu"
}
cpu() { # FAMILY MODEL NAME
    printf 'vendor_id\t: AuthenticAMD\ncpu family\t: %s\nmodel\t\t: %s\nmodel name\t: %s\n' "$@" >"$H/cpuinfo"
}

# host_gpu BDF   one H100, held by vfio-pci, with the files that a reset and a look at its CC mode need
host_gpu() {
    local name op value d=$H/sys/bus/pci/devices/$1
    while read -r name op value; do
        [[ $name != '#' ]] || continue
        mkdir -p "$H/sys/$(dirname "$name")"
        case $op in
        '=') echo "$value" >"$H/sys/$name" ;;
        '+') echo "$value" >>"$H/sys/$name" ;;
        '->') ln -sfn "$value" "$H/sys/$name" ;;
        esac
    done <tests/hosts/one-h100.tree
    mkdir -p "$d/power" "$H/run" "$H/lib"
    printf '\xde\x10\x31\x23%060d' 0 >"$d/config"
    echo auto >"$d/power/control"
    echo 0 >"$d/reset" && echo flr >"$d/reset_method" && : >"$d/driver_override"
    truncate -s 2M "$d/resource0"
    gpu_register "$1" 0x200bc '\xff' # its firmware is up
    gpu_register "$1" 0x1182cc '\x01' # CC is on
}
gpu_register() { # BDF OFFSET BYTE
    # shellcheck disable=SC2059 # an escape
    printf "$3" | dd of="$H/sys/bus/pci/devices/$1/resource0" bs=1 seek=$(($2)) conv=notrunc status=none
}

# on_host COMMAND...   runs it there, in place of this shell
on_host() {
    # shellcheck disable=SC2016 # it is the inner shell that expands
    exec unshare -m bash -c '
        set -e
        host=$1 && shift
        mount --make-rprivate /
        dev=$(mktemp -d) && mount -t tmpfs -o mode=755 dev "$dev"
        for n in null zero full random urandom tty kvm; do [[ ! -e /dev/$n ]] || cp -a "/dev/$n" "$dev/"; done
        chmod 666 "$dev/kvm"
        ln -s /proc/self/fd "$dev/fd"
        mkdir "$dev/shm" && mount --bind /dev/shm "$dev/shm"
        [[ -e $host/no-sev ]] || mknod -m "$(cat "$host/sev-mode" 2>/dev/null || echo 666)" "$dev/sev" c 1 3
        if [[ -d $host/sys ]]; then
            mkdir -p "$dev/vfio/devices" && echo iommu >"$dev/iommu" && echo vfio0 >"$dev/vfio/devices/vfio0"
            mount --bind "$host/run" /run && mount --bind "$host/lib" /var/lib && mount --bind "$host/sys" /sys
        fi
        mount --move "$dev" /dev && rmdir "$dev"
        mount --bind "$host/cpuinfo" /proc/cpuinfo
        exec "$@"' on_host "$H" "$@"
}
