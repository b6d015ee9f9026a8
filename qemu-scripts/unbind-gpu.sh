#!/bin/bash
# Gives a GPU that vfio-pci holds back to the host, with all that shares its IOMMU group: to the drivers that
# bind-gpu took them from, else to those that the kernel picks. Refuses while a guest has it, or a job's lease.
#
# usage: unbind-gpu.sh [--dry-run] [--leases DIR] [--root DIR] BDF
#   BDF           its PCI address, such as 0000:41:00.0
#   --dry-run     print what would be written where, and change nothing
#   --leases DIR  where providers keep their leases (default: /run/cdvm/gpu)
#   --root DIR    a folder that stands for /
# Exit: 0 it is the host's, 1 a driver did not take it, 64 usage, 69 no such GPU or no IOMMU, 75 in use or
# leased, 77 not root.
set -euo pipefail
# shellcheck source=qemu-scripts/host.sh
. "$(dirname "$(realpath "$0")")/host.sh"

gpu_options "$@"

# What a job left on it is not for the host: only a reset ends that.
check_clean() { # BDF
    local step
    step=$(cat "$(step_file "$1")" 2>/dev/null || true)
    [[ ! $step || $step == free ]] ||
        refuse "$BUSY" "$1 was left by a job ($step): it has to be reset first, which the provider does at its" \
            "next start; or by hand: echo 1 > $(device "$1")/reset && rm $(step_file "$1")"
}

# return_to BDF DRIVER   "": the one that the kernel picks; "none": no driver
return_to() {
    tell "$1 goes from vfio-pci to ${2:-the driver that the kernel picks}"
    put "" "$(device "$1")/driver_override" && let_go "$1" || return
    if [[ $2 && $2 != none && ! -d $ROOT/sys/bus/pci/drivers/$2 ]]; then act modprobe "$2" || true; fi
    [[ $2 == none ]] || put "$1" "$ROOT/sys/bus/pci/drivers_probe" || return
    [[ $DRY || ! $2 || $2 == none ]] || held_by "$1" "$2"
}

need_root
check_gpu "$bdf"
check_lease "${leases:-$(lease_folder)}" "$bdf"
check_clean "$bdf"
mapfile -t all < <(functions_of "$bdf")
held=()
for f in "${all[@]}"; do
    if [[ $(driver_of "$f") == vfio-pci ]]; then held+=("$f"); else
        tell "$f is held by $(holder_of "$f"), not by vfio-pci: nothing to do"
    fi
done
((${#held[@]})) || exit 0
check_unused "${held[@]}"
for f in "${held[@]}"; do
    had=$(cat "$(former_file "$f")" 2>/dev/null || true)
    return_to "$f" "$had" ||
        refuse 1 "$f was let go by vfio-pci, and ${had:-no driver} did not take it within $SETTLE s: it is held by $(holder_of "$f")"
    act rm -f "$(former_file "$f")"
    [[ $DRY ]] || tell "$f is held by $(holder_of "$f")"
done
