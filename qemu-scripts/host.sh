# shellcheck shell=bash
# What the scripts for a host share: words, refusals, changes that --dry-run only prints, PCI functions as
# Linux shows them. All paths lie below ROOT, so that a host can be described by a folder.

ROOT=
DRY=

# Exit codes: those of sysexits.h, and 1.
readonly USAGE=64 UNAVAILABLE=69 BUSY=75 DENIED=77
readonly SETTLE=${CDVM_SETTLE:-10} # seconds that a driver gets to take a function, or to let it go

tell() { printf '%s\n' "$*"; }
refuse() { # CODE WORDS...
    printf '%s: %s\n' "$(basename "$0" .sh)" "${*:2}" >&2
    exit "$1"
}

# The comment at the head of the script is its help.
help() {
    awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"
    exit 0
}

# common_option WORD [VALUE]   takes --dry-run, --root DIR and --help; sets TAKEN, how many words these were
# shellcheck disable=SC2034 # TAKEN is the caller's
common_option() {
    TAKEN=1
    case $1 in
    --dry-run) DRY=1 ;;
    --root) [[ -d ${2:-} ]] || refuse "$USAGE" "--root wants a folder that stands for /"
        ROOT=$(realpath "$2") TAKEN=2 ;;
    -h | --help) help ;;
    -*) refuse "$USAGE" "option '$1' is not known (--help lists them)" ;;
    *) return 1 ;;
    esac
}

need_root() {
    ((EUID == 0)) || [[ $ROOT || $DRY ]] || refuse "$DENIED" "only root can do this: sudo $0 ... (--dry-run shows what it is)"
}

# quote WORD...   as a shell reads them back, in quotes only where they need some
quote() {
    local w out=()
    for w in "$@"; do
        [[ $w =~ ^[A-Za-z0-9_./:=,+@%-]+$ ]] || w="'${w//\'/\'\\\'\'}'"
        out+=("$w")
    done
    echo "${out[*]}"
}

# act COMMAND...   runs it, or prints it
act() {
    if [[ $DRY ]]; then tell "    $(quote "$@")"; else "$@"; fi
}

# put VALUE FILE   writes one line into a file of the kernel's
put() {
    if [[ $DRY ]]; then tell "    echo $(quote "$1") > $(quote "$2")"; else echo "$1" 2>/dev/null >"$2"; fi
}

# The program these scripts are part of: beside them, installed with them, or in PATH.
find_cdvm() {
    local here c
    here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
    for c in "${CDVM:-}" "$here/../cdvm" "$here/../../../bin/cdvm" "$(command -v cdvm || true)"; do
        if [[ $c && -x $c && ! -d $c ]]; then
            realpath "$c"
            return
        fi
    done
    refuse "$UNAVAILABLE" "there is no cdvm beside these scripts and none in PATH: build it with make, or set CDVM"
}

# conf_value KEY FILE   the first value of a `key = value` file; nothing where there is none
conf_value() {
    [[ ! -r $2 ]] || sed -nE "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*(.*[^[:space:]])[[:space:]]*$/\1/p" "$2" | head -n 1
}

# --- PCI functions ---

device() { printf '%s/sys/bus/pci/devices/%s' "$ROOT" "$1"; }
pci_read() { cat "$(device "$1")/$2" 2>/dev/null || true; } # BDF FILE
# The driver that holds it; nothing where none does.
driver_of() { basename "$(readlink "$(device "$1")/driver")" 2>/dev/null || true; }
# holder_of BDF   the driver that holds it, as a word
holder_of() { driver_of "$1" | grep . || echo 'no driver'; }
group_of() { basename "$(readlink "$(device "$1")/iommu_group")" 2>/dev/null || true; }
is_bridge() { [[ $(pci_read "$1" class) == 0x06* ]]; }
# What has to go to a guest with it: all of its IOMMU group but bridges, itself first.
functions_of() {
    local f
    echo "$1"
    for f in "$(device "$1")"/iommu_group/devices/*; do
        f=${f##*/}
        [[ $f == "$1" || ! $f =~ ^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$ ]] || is_bridge "$f" || echo "$f"
    done
}

gpus() {
    local d
    for d in "$ROOT"/sys/bus/pci/devices/*; do
        [[ $(cat "$d/vendor" "$d/class" 2>/dev/null | paste -sd' ') != '0x10de 0x0302'* ]] || basename "$d"
    done
}

# check_gpu BDF   an NVIDIA GPU of this machine, behind an IOMMU
check_gpu() {
    local all
    [[ $1 =~ ^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$ ]] ||
        refuse "$USAGE" "'$1' is not a PCI address such as 0000:41:00.0"
    all=$(gpus | paste -sd' ')
    [[ $all ]] || refuse "$UNAVAILABLE" "there is no NVIDIA GPU (vendor 10de, PCI class 0302) in this machine"
    [[ " $all " == *" $1 "* ]] || refuse "$UNAVAILABLE" "$1 is not an NVIDIA GPU of this machine: there is ${all// /, }"
    [[ $(group_of "$1") ]] || refuse "$UNAVAILABLE" "$1 is behind no IOMMU: switch it on in the firmware's setup (AMD-Vi)"
}

# --- who uses them ---

# Device files of a function: those of VFIO, of its display or compute driver.
nodes_of() { # BDF
    local d n minor
    d=$(device "$1")
    for n in "$d"/vfio-dev/vfio*; do [[ ! -e $n ]] || echo "/dev/vfio/devices/${n##*/}"; done
    for n in "$d"/drm/*; do [[ ! -e $n ]] || echo "/dev/dri/${n##*/}"; done
    echo "/dev/vfio/$(group_of "$1")"
    minor=$(sed -nE 's/^Device Minor:[[:space:]]*([0-9]+).*/\1/p' "$ROOT/proc/driver/nvidia/gpus/$1/information" 2>/dev/null || true)
    [[ ! $minor ]] || echo "/dev/nvidia$minor"
}

# holders FILE...   "PID (name)" of the processes that have one of these open
holders() {
    local link target wanted=" $* " pid
    for link in "$ROOT"/proc/[0-9]*/fd/*; do
        target=$(readlink "$link" 2>/dev/null) || continue
        [[ $wanted != *" $target "* ]] || echo "$link"
    done | sed -E 's|.*/proc/([0-9]+)/fd/.*|\1|' | sort -un | while read -r pid; do
        echo "$pid ($(cat "$ROOT/proc/$pid/comm" 2>/dev/null || echo '?'))"
    done
}

# disks_of BDF   the folders of its block devices and of their partitions. An NVMe disk that has several ways to it
# is below none of them, but in a subsystem that names its controllers.
disks_of() {
    local way disk p places
    places=("$(realpath "$(device "$1")")")
    for way in "$ROOT"/sys/class/nvme-subsystem/*/nvme*; do
        [[ $(realpath -q "$way") != "${places[0]}"/* ]] || places+=("$(realpath "${way%/*}")")
    done
    for disk in "$ROOT"/sys/class/block/*; do
        disk=$(realpath "$disk")
        for p in "${places[@]}"; do [[ $disk != "$p"/* ]] || echo "$disk"; done
    done
}

# disk_use FOLDER   what stands on a block device. That of btrfs has another number, and only its name here.
disk_use() {
    local name=${1##*/}
    ! grep -qsE "^[0-9]+ [0-9]+ $(cat "$1/dev") | - [^ ]+ /dev/$name " "$ROOT/proc/self/mountinfo" || echo "disk $name is mounted"
    ! grep -qs "^/dev/${name}[[:space:]]" "$ROOT/proc/swaps" || echo "disk $name is swapped to"
    [[ ! -d $1/holders || ! $(ls -A "$1/holders") ]] || echo "disk $name has other devices on it"
}

# used_as BDF   for what the host itself uses a function: a network card that is up, a disk
used_as() {
    local card disk
    for card in "$(device "$1")"/net/*; do
        [[ ! -e $card || $(cat "$card/operstate" 2>/dev/null) != up ]] || echo "network interface ${card##*/} is up"
    done
    for disk in $(disks_of "$1"); do disk_use "$disk"; done
}

# Where providers keep leases, and the step of its life that a GPU was left at (provider/gpu_life.h).
lease_folder() { echo "$ROOT/run/cdvm/gpu"; }
step_file() { echo "$ROOT/var/lib/cdvm/gpu/$1.step"; } # BDF
former_file() { echo "$ROOT/run/cdvm/driver/$1"; }      # BDF: the driver that it had, of bind-gpu

# gpu_options WORD...   those of bind-gpu and unbind-gpu: sets bdf and, where --leases names it, leases
# shellcheck disable=SC2034 # they are the callers'
gpu_options() {
    bdf='' leases=''
    while (($#)); do
        if [[ $1 == --leases ]]; then
            [[ ${2:-} ]] || refuse "$USAGE" "--leases wants a folder"
            leases=$2 && shift 2
        elif common_option "$@"; then
            shift "$TAKEN"
        else
            [[ ! $bdf ]] || refuse "$USAGE" "one GPU at a time"
            bdf=$1 && shift
        fi
    done
    [[ $bdf ]] || refuse "$USAGE" "which GPU? (--help)"
}

# A lease is a locked file: its holder's death ends it.
check_lease() { # FOLDER BDF
    local file=$1/$2.lease
    [[ -e $file ]] || return 0
    flock -n "$file" true || refuse "$BUSY" "$2 is leased to a job of the provider: end that first ($file)"
}

check_unused() { # BDF...
    local f who nodes
    for f in "$@"; do
        who=$(used_as "$f" | head -n 1)
        [[ ! $who ]] || refuse "$BUSY" "$f is in use by this machine: $who"
        mapfile -t nodes < <(nodes_of "$f")
        who=$(holders "${nodes[@]}" | paste -sd, | sed 's/,/, /g')
        [[ ! $who ]] || refuse "$BUSY" "$f is in use by process $who: end that first"
    done
}

# held_by BDF DRIVER   waits for it; "" is no driver
held_by() {
    local end=$((SECONDS + SETTLE))
    until [[ $(driver_of "$1") == "$2" ]]; do
        ((SECONDS <= end)) || return 1 # it counts whole seconds
        sleep 0.05
    done
}

# let_go BDF   no driver afterwards
let_go() {
    [[ ! $(driver_of "$1") ]] && return
    put "$1" "$(device "$1")/driver/unbind" && { [[ $DRY ]] || held_by "$1" ""; }
}
