#!/bin/bash
# Takes a GPU from the host and gives it to vfio-pci, from where a guest can have it, with everything that
# shares its IOMMU group but bridges. Refuses what is in use. Lasts until the next start of the machine, or
# until unbind-gpu gives it back to the driver it had.
#
# usage: bind-gpu.sh [--dry-run] [--leases DIR] [--root DIR] BDF
#   BDF           its PCI address, such as 0000:41:00.0 (lspci -D -d 10de:)
#   --dry-run     print what would be written where, and change nothing
#   --leases DIR  where providers keep their leases (default: /run/cdvm/gpu)
#   --root DIR    a folder that stands for /
# Exit: 0 it is vfio-pci's, 1 it could not be bound and is as before, 64 usage, 69 no such GPU or no IOMMU,
# 75 in use or leased, 77 not root.
set -euo pipefail
# shellcheck source=qemu-scripts/host.sh
. "$(dirname "$(realpath "$0")")/host.sh"

gpu_options "$@"

# Back as it was, for a function that vfio-pci did not take.
give_back() { # BDF DRIVER
    put "" "$(device "$1")/driver_override" || true
    [[ ! $2 ]] || put "$1" "$ROOT/sys/bus/pci/drivers_probe" || true
    rm -f "$(former_file "$1")"
}

# driver_override takes this one function; new_id would take every card of its kind.
take() { # BDF
    local had file
    had=$(driver_of "$1")
    if [[ $had == vfio-pci ]]; then
        tell "$1 is held by vfio-pci already"
        return
    fi
    tell "$1 goes from ${had:-no driver} to vfio-pci"
    file=$(former_file "$1")
    act mkdir -p "${file%/*}" && put "${had:-none}" "$file" || return
    if ! { put vfio-pci "$(device "$1")/driver_override" && let_go "$1" &&
        put "$1" "$ROOT/sys/bus/pci/drivers_probe" && { [[ $DRY ]] || held_by "$1" vfio-pci; }; }; then
        give_back "$1" "$had"
        return 1
    fi
}

need_root
check_gpu "$bdf"
check_lease "${leases:-$(lease_folder)}" "$bdf"
mapfile -t all < <(functions_of "$bdf")
fresh=()
for f in "${all[@]}"; do [[ $(driver_of "$f") == vfio-pci ]] || fresh+=("$f"); done
((${#fresh[@]} == 0)) || check_unused "${fresh[@]}"

if ((${#fresh[@]})) && [[ ! -d $ROOT/sys/bus/pci/drivers/vfio-pci ]]; then
    act modprobe vfio-pci || refuse 1 "the kernel has no vfio-pci: it needs CONFIG_VFIO_PCI"
fi
for f in "${all[@]}"; do
    take "$f" && continue
    for done in "${fresh[@]}"; do
        [[ $done != "$f" ]] || break
        had=$(cat "$(former_file "$done")" 2>/dev/null || true)
        let_go "$done" || true
        give_back "$done" "${had#none}"
    done
    refuse 1 "vfio-pci did not take $f within $SETTLE s (dmesg says why); it was given back to its driver"
done
if [[ $DRY ]]; then exit; fi
cdev=$(basename "$(device "$bdf")"/vfio-dev/vfio*)
[[ $cdev != 'vfio*' ]] ||
    refuse 1 "$bdf has no vfio-dev: iommufd needs Linux 6.6 or newer with CONFIG_VFIO_DEVICE_CDEV"
tell "IOMMU group $(group_of "$bdf") is ready for a guest: /dev/vfio/devices/$cdev. Back: unbind-gpu.sh $bdf"
