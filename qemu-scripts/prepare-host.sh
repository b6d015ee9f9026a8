#!/bin/bash
# Makes of a Debian machine a host for confidential guests: packages, kernel command line, modules, rights on
# devices, limits of the provider's user, and the GPUs that belong to guests from the start of the machine on.
# Shows what it would change and asks; what is right already is left alone, so that it can be run again.
# The firmware's setup (SNP, IOMMU, above-4G decoding) and the CC mode of a GPU are not its business: check-host
# says what they lack.
#
# usage: prepare-host.sh [--dry-run | --yes] [--user NAME] [--gpu BDF]... [--root DIR]
#        prepare-host.sh --undo [--dry-run | --yes] [--root DIR]
#   --user NAME  whom the provider runs as (default: who calls sudo, else cdvm); made when absent
#   --gpu BDF    a GPU for guests, such as 0000:41:00.0; each time it is run, all that are meant
#   --dry-run    show the changes with their content and make none
#   --yes        make them without asking
#   --undo       remove every file that it has written; packages, user and groups stay
#   --root DIR   a folder that stands for /: files are written there, nothing is run
# Exit: 0 done, or nothing to do; 1 a step failed; 64 usage; 69 no such GPU or not a Debian; 77 not root.
set -euo pipefail
# shellcheck source=qemu-scripts/host.sh
. "$(dirname "$(realpath "$0")")/host.sh"

readonly KERNEL=6.11 QEMU_CPU=9.1 QEMU_GPU=10.1 # below these QEMU and KVM have no SEV-SNP, or no GPU beside it
readonly GROUP=kvm
readonly LEASES=cdvm-gpu # not kvm, as which a QEMU of root's runs: what breaks out of it lifts no quarantine
user=${SUDO_USER:-cdvm} yes='' undo='' gpus=()
while (($#)); do
    case $1 in
    --user | --gpu) [[ ${2:-} ]] || refuse "$USAGE" "$1 wants a value (--help)" ;;&
    --user) user=$2 && shift 2 && continue ;;
    --gpu) gpus+=("$2") && shift 2 && continue ;;
    --yes) yes=1 && shift && continue ;;
    --undo) undo=1 && shift && continue ;;
    esac
    common_option "$@" || refuse "$USAGE" "'$1' is not understood (--help)"
    shift "$TAKEN"
done
[[ $user =~ ^[a-z_][a-z0-9_-]{0,31}$ ]] || refuse "$USAGE" "--user '$user' is not a name of a user"

# --- files: what each of them is and why, and how it takes effect ---

readonly FILES=(
    etc/modprobe.d/cdvm.conf etc/modules-load.d/cdvm.conf etc/default/grub.d/cdvm.cfg
    etc/udev/rules.d/70-cdvm.rules etc/security/limits.d/cdvm.conf etc/tmpfiles.d/cdvm.conf)

why() { # FILE
    case $1 in
    */modprobe.d/*) echo 'KVM offers SEV-SNP' ;;
    */modules-load.d/*) echo 'KVM and VFIO are loaded at the start' ;;
    */grub.d/*) echo 'the IOMMU translates, as SEV-SNP demands: passed through, SNP stays off' ;;
    */udev/*) echo "group $GROUP may use the secure processor, VFIO and the GPUs for guests" ;;
    */limits.d/*) echo "$user may lock the memory of its guests" ;;
    */tmpfiles.d/*) echo 'the memory of guests is made of huge pages where there are some; a place for leases of GPUs' ;;
    esac
}
after() { # FILE   the command by which a change of it takes effect
    case $1 in
    */grub.d/*) echo update-grub ;;
    */udev/*) echo 'udevadm control --reload' && echo 'udevadm trigger --subsystem-match=misc --subsystem-match=vfio-dev' ;;
    */tmpfiles.d/*) [[ $undo ]] || echo 'systemd-tmpfiles --create cdvm.conf' ;;
    esac
}

# The rule names the place, not the kind: another card of the same kind stays the host's. It is in force before
# a display driver is loaded. The files are those that a reset and a look at its CC mode need.
gpu_rules() {
    local gpu f
    for gpu in "${gpus[@]}"; do
        for f in $(functions_of "$gpu"); do
            echo "ACTION==\"add\", SUBSYSTEM==\"pci\", KERNEL==\"$f\", ATTR{vendor}==\"$(pci_read "$f" vendor)\"," \
                "ATTR{driver_override}=\"vfio-pci\", RUN{builtin}+=\"kmod load vfio-pci\"," \
                "RUN+=\"/bin/sh -c 'echo %k > /sys/bus/pci/drivers_probe'\""
        done
        echo "ACTION==\"add\", SUBSYSTEM==\"pci\", KERNEL==\"$gpu\"," \
            "RUN+=\"/bin/sh -c 'cd /sys%p && for f in config resource0 reset reset_method power/control;" \
            "do chgrp $GROUP \$\$f; chmod g+rw \$\$f; done'\""
    done
}

content() { # FILE
    echo '# Written by prepare-host.sh of cdvm; prepare-host.sh --undo removes it.'
    case $1 in
    */modprobe.d/*) echo 'options kvm_amd sev=1 sev_es=1 sev_snp=1' ;;
    */modules-load.d/*) printf '%s\n' kvm_amd vfio_pci iommufd ;;
    */grub.d/*) echo "GRUB_CMDLINE_LINUX_DEFAULT=\"\$GRUB_CMDLINE_LINUX_DEFAULT iommu=nopt\"" ;;
    */udev/*)
        echo "KERNEL==\"sev\", GROUP=\"$GROUP\", MODE=\"0660\""
        echo "KERNEL==\"iommu\", SUBSYSTEM==\"misc\", GROUP=\"$GROUP\", MODE=\"0660\""
        echo "SUBSYSTEM==\"vfio-dev\", GROUP=\"$GROUP\", MODE=\"0660\""
        gpu_rules ;;
    */limits.d/*) echo "$user - memlock unlimited" ;;
    */tmpfiles.d/*)
        echo 'w /sys/kernel/mm/transparent_hugepage/shmem_enabled - - - - advise'
        printf 'd %s 2770 root %s -\n' /run/cdvm/gpu "$LEASES" /var/lib/cdvm/gpu "$LEASES" ;;
    esac
}

# What a rule takes is gone at the next start: no rule for another device than the GPU's own card.
check_alone() { # BDF
    local f
    for f in $(functions_of "$1"); do
        [[ ${f%.*} == "${1%.*}" ]] ||
            refuse "$UNAVAILABLE" "$1 shares IOMMU group $(group_of "$1") with $f (class $(pci_read "$f" class))," \
                "which this machine may need: move the GPU to a slot of its own, or switch ACS on in the firmware's setup"
    done
}

unchanged() { [[ -f $ROOT/$1 ]] && diff -q <(content "$1") "$ROOT/$1" >/dev/null; }

# --- packages ---

newer() { dpkg --compare-versions "$1" ge "$2~"; } # HAVE WANT
installed() { dpkg-query -W -f='${db:Status-Status} ${Version}\n' "$1" 2>/dev/null | sed -n 's/^installed //p'; }
# offered PACKAGE LEAST   the suite that has the newest version, where that is new enough
offered() {
    local version suite
    IFS='| ' read -r _ version _ suite _ < <(apt-cache madison "$1" 2>/dev/null) || return 0
    ! newer "${version#*:}" "$2" || echo "${suite%%/*}"
}

# want_package PACKAGE LEAST WHAT   into `right`, `packages` or `by_hand`
want_package() {
    local have suite
    have=$(installed "$1")
    suite=$(offered "$1" "$2")
    if [[ $have ]] && newer "${have#*:}" "$2"; then
        right+=("$1 $have")
    elif [[ $suite ]]; then
        packages+=("-t $suite $1")
    else
        by_hand+=("$3 from $2 on${have:+ (here is $have)}: none of this machine's apt sources has it; add a newer suite (backports, sid) and run this again")
    fi
}

plan_packages() {
    local running
    command -v apt-cache >/dev/null ||
        refuse "$UNAVAILABLE" "this machine has no apt: give it QEMU from $QEMU_CPU on (for a GPU from $QEMU_GPU on)," \
            "Linux from $KERNEL on and curl by its own means; doc/cdvm-host.7 says what else this script does"
    want_package qemu-system-x86 "$( ((${#gpus[@]})) && echo "$QEMU_GPU" || echo "$QEMU_CPU")" 'QEMU'
    if [[ $(installed curl) ]]; then right+=("curl"); else packages+=(curl); fi
    running=$(cat "$ROOT/proc/sys/kernel/osrelease" 2>/dev/null || uname -r)
    if newer "$running" "$KERNEL"; then right+=("kernel $running"); else want_package linux-image-amd64 "$KERNEL" 'Linux'; fi
}

# --- the plan ---

plan_user() {
    local have
    getent group "$LEASES" >/dev/null || commands+=("groupadd --system $LEASES")
    if ! getent passwd "$user" >/dev/null; then
        commands+=("useradd --system --create-home --shell /usr/sbin/nologin --groups $GROUP,$LEASES $user")
        return
    fi
    have=" $(id -nG "$user") "
    if [[ $have == *" $GROUP "* && $have == *" $LEASES "* ]]; then
        right+=("user $user in groups $GROUP and $LEASES")
    else
        commands+=("usermod -aG $GROUP,$LEASES $user")
    fi
}

plan_files() {
    local f line
    for f in "${FILES[@]}"; do
        if [[ $f == etc/default/grub.d/* && ! -e $ROOT/etc/default/grub ]]; then
            grep -qw iommu=nopt "$ROOT/proc/cmdline" 2>/dev/null ||
                by_hand+=("iommu=nopt on the kernel's command line: this machine has no GRUB to put it there (/etc/kernel/cmdline?)")
            continue
        fi
        if unchanged "$f"; then right+=("/$f") && continue; fi
        files+=("$f")
        while read -r line; do [[ ! $line ]] || commands+=("$line"); done < <(after "$f")
    done
    ! grep -qwsE 'amd_iommu=off|iommu=off' "$ROOT/proc/cmdline" "$ROOT/etc/default/grub" ||
        by_hand+=("iommu=off or amd_iommu=off is on the kernel's command line: remove it from /etc/default/grub")
}

plan_undo() {
    local f line
    for f in "${FILES[@]}"; do
        [[ -e $ROOT/$f ]] || continue
        files+=("$f")
        while read -r line; do [[ ! $line ]] || commands+=("$line"); done < <(after "$f")
    done
}

show() {
    local x
    for x in "${right[@]}"; do tell "right   $x"; done
    for x in "${packages[@]}"; do tell "install $x"; done
    for x in "${files[@]}"; do
        if [[ $undo ]]; then tell "remove  /$x" && continue; fi
        tell "write   /$x: $(why "$x")"
        content "$x" | sed 's/^/            /'
    done
    for x in "${commands[@]}"; do tell "run     $x"; done
    for x in "${by_hand[@]}"; do tell "by hand $x"; done
}

confirmed() {
    local answer
    [[ ! $yes ]] || return 0
    [[ -t 0 ]] || refuse "$USAGE" "nobody is there to ask: --yes makes these changes, --dry-run only shows them"
    read -r -p 'Make these changes? y/N ' answer
    [[ $answer == [yY]* ]]
}

# Whole, or not at all: a half-written rule could leave a machine without its disks.
write_file() { # FILE
    mkdir -p "$(dirname "$ROOT/$1")"
    content "$1" >"$ROOT/$1.new"
    chmod 0644 "$ROOT/$1.new"
    mv "$ROOT/$1.new" "$ROOT/$1"
}

carry_out() {
    local x words
    for x in "${packages[@]}"; do
        read -ra words <<<"$x"
        [[ $ROOT ]] || DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${words[@]}" ||
            refuse 1 "apt could not install ${words[-1]} (above); no file was written"
    done
    for x in "${files[@]}"; do
        if [[ $undo ]]; then rm -f "$ROOT/$x"; else write_file "$x"; fi
    done
    [[ ! $ROOT ]] || return 0
    for x in "${commands[@]}"; do
        read -ra words <<<"$x"
        "${words[@]}" || refuse 1 "'$x' failed (above): the files are written, run this again once it can work"
    done
}

right=() packages=() files=() commands=() by_hand=()
need_root
if [[ $undo ]]; then plan_undo; else
    for g in "${gpus[@]}"; do check_gpu "$g" && check_alone "$g"; done
    plan_packages
    plan_user
    plan_files
fi
show
if ((${#packages[@]} + ${#files[@]} + ${#commands[@]} == 0)); then
    tell "Nothing to do."
    exit 0
fi
[[ ! $DRY ]] || exit 0
confirmed || refuse 1 "nothing was changed"
carry_out
if [[ $undo ]]; then tell "Removed. Start the machine anew to have its old command line and drivers."; else
    tell "Done. Start the machine anew, then run check-host.sh. Back: prepare-host.sh --undo"
fi
