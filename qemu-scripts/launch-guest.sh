#!/bin/bash
# Starts one guest by hand, as the provider would, and says when it waits for a job: to see whether this host
# can start one, and what QEMU says when it cannot. The line is the provider's own (cdvm provider
# --print-argv) with names of files where the provider hands descriptors over; it is printed whole, and can be
# pasted. The guest has no console. Its door is a UNIX socket; who talks to it there is its host. No job is
# taken and no offer published.
#
# usage: launch-guest.sh [--dry-run] [--once] [--seconds N] [--dir DIR] [OPTION-OF-CDVM-PROVIDER]...
#   --dry-run    print the line and start nothing
#   --once       stop the guest once it waits for a job
#   --seconds N  how long it may take until then (default 300)
#   --dir DIR    where its door is made (default: a new folder below XDG_RUNTIME_DIR or /tmp)
#   others       such as --backend snp, --gpu 0000:41:00.0, --image DIR, --memory 65536: see cdvm provider --help;
#                what they leave out is taken from provider.conf, as the provider does
# Exit: 0 it waited for a job, and ended as it was told; 1 it did not start, or did not come so far; else the
# exit of cdvm provider --print-argv: 64 usage, 69 this host lacks something, 75 the GPU is leased, 78 a setting.
set -euo pipefail
# shellcheck source=qemu-scripts/host.sh
. "$(dirname "$(realpath "$0")")/host.sh"

once='' seconds=300 dir='' passed=()
while (($#)); do
    case $1 in
    --dry-run) DRY=1 ;;
    --once) once=1 ;;
    --seconds) seconds=${2:-} && shift ;;
    --dir) dir=${2:-} && shift ;;
    -h | --help) help ;;
    *) passed+=("$1") ;;
    esac
    shift || refuse "$USAGE" "the last option wants a value"
done
[[ $seconds =~ ^[1-9][0-9]{0,4}$ ]] || refuse "$USAGE" "--seconds '$seconds' is not a number of seconds"

# --- the line ---

# setting NAME DEFAULT   as cdvm provider has it: of its options, else of its configuration file; of GPUs, the first
setting() {
    local i conf=${XDG_CONFIG_HOME:-$HOME/.config}/cdvm/provider.conf value=''
    for ((i = 0; i < ${#passed[@]}; i++)); do
        [[ ${passed[i]} != --config ]] || conf=${passed[i + 1]:-}
        [[ ${passed[i]} != --config=* ]] || conf=${passed[i]#*=}
        [[ $1 != gpu || ! $value ]] || continue
        [[ ${passed[i]} != "--$1" ]] || value=${passed[i + 1]:-}
        [[ ${passed[i]} != "--$1="* ]] || value=${passed[i]#*=}
    done
    [[ $value ]] || value=$(conf_value "$1" "$conf")
    echo "${value:-$2}"
}

# volume_of SERIAL   the file whose root hash the guest's command line names for that disk
volume_of() {
    local words root manifest
    words=" $append "
    root=${words##* "cdvm.$1="}
    root=${root%%:*}
    [[ $words == *" cdvm.$1="* && $root =~ ^[0-9a-f]{64}$ ]] || refuse 1 "the guest's command line names no volume '$1'"
    for manifest in "$image"/*.manifest; do
        if grep -qsF "\"root\":\"$root\"" "$manifest" && [[ -f ${manifest%.manifest}.vol ]]; then
            echo "${manifest%.manifest}.vol"
            return
        fi
    done
    [[ ! -f $image/$1.vol ]] || { echo "$image/$1.vol" && return; }
    refuse 1 "no manifest in '$image' names a volume of root ${root:0:16}..., which is the guest's disk '$1'"
}

# file_of SET   what stands behind /dev/fdset/SET: the disk that uses it says which
file_of() {
    local a
    for a in "${argv[@]}"; do
        if [[ $a == driver=raw,node-name=*"file.filename=/dev/fdset/$1" ]]; then
            a=${a#driver=raw,node-name=}
            volume_of "${a%%,*}"
        fi
    done
}

# plain WORD BEFORE   a word of the line without descriptors, into `line`
plain() {
    local f
    case $1 in
    /proc/self/fd/*)
        case $2 in
        -kernel) line+=("$image/kernel") ;;
        -initrd) line+=("$image/initrd") ;;
        -bios) line+=("$image/ovmf.fd") ;;
        *) refuse 1 "the provider's line has a descriptor after '$2', which this script does not know" ;;
        esac ;;
    socket,id=qmp,fd=*) line+=("stdio,id=qmp,signal=off") ;;
    socket,id=door,fd=*) line+=("socket,id=door,path=$dir/door,server=on,wait=off") ;;
    *file.filename=/dev/fdset/*)
        f=$(file_of "${1##*/}") || exit
        line+=("${1%/dev/fdset/*}${f//,/,,}") ;;
    iommufd,id=*,fd=*) line+=("${1%,fd=*}") ;;
    vfio-pci,fd=*) line+=("vfio-pci,host=$(setting gpu ''),${1#vfio-pci,fd=*,}") ;;
    *) line+=("$1") ;;
    esac
}

make_line() {
    local i
    line=()
    for ((i = 0; i < ${#argv[@]}; i++)); do
        if [[ ${argv[i]} == -add-fd ]]; then i=$((i + 1)) && continue; fi
        plain "${argv[i]}" "${argv[i > 0 ? i - 1 : 0]}"
    done
}

# An option and its value on a line of their own, to be pasted into a shell.
show_line() {
    local i out
    out=$(quote "${line[0]}")
    for ((i = 1; i < ${#line[@]}; i++)); do
        out+=" \\"$'\n'"    $(quote "${line[i]}")"
        if ((i + 1 < ${#line[@]})) && [[ ${line[i + 1]} != -* ]]; then i=$((i + 1)) && out+=" $(quote "${line[i]}")"; fi
    done
    tell "$out"
}

# --- the guest ---

# Held as long as QEMU lives, and left so that the provider resets the GPU before a job gets it.
lease_gpu() { # BDF
    local file
    [[ $1 ]] || return 0
    file=$(lease_folder)/$1.lease
    (umask 077 && mkdir -p "${file%/*}" "$(dirname "$(step_file "$1")")")
    exec {lease}<>"$file"
    flock -n "$lease" || refuse "$BUSY" "$1 is leased to a job of the provider: end that first ($file)"
    echo attached >"$(step_file "$1")"
}

start_guest() {
    coproc QEMU { exec "${line[@]}" 2>"$dir/errors"; }
    pid=$QEMU_PID
    exec {from}<&"${QEMU[0]}" {to}>&"${QEMU[1]}"
    began=$(date +%s%3N)
}
passed_time() { awk -v ms=$(($(date +%s%3N) - began)) 'BEGIN { printf "%.1f s", ms / 1000 }'; }
alive() { kill -0 "$pid" 2>/dev/null; }
ask() { printf '{"execute":"%s"}\n' "$1" >&"$to" || true; } 2>/dev/null

stop_guest() {
    [[ ${pid:-} ]] && alive || return 0
    ask quit
    for _ in {1..40}; do
        alive || return 0
        sleep 0.05
    done
    kill "$pid" 2>/dev/null || true
}
tidy() {
    stop_guest
    [[ ! ${made:-} ]] || rm -rf "$dir"
}

# The agent opens its port when it can be given a job: QEMU tells that of the device behind `door`.
waits_for_job() {
    local said rest
    ask query-chardev
    while IFS= read -r -t 5 said <&"$from"; do
        [[ $said == *'"label": "door"'* ]] || continue
        rest=${said%%'"label": "door"'*}
        [[ ${rest##*\{} == *'"frontend-open": true'* ]]
        return
    done
    return 1
}

not_started() { # WORDS
    local why
    why=$(grep . "$dir/errors" | tail -n 3 | tr -cd '[:print:]\n' || true)
    refuse 1 "$1${why:+. QEMU says: $why}"
}

until_waiting() {
    local last=0
    ask qmp_capabilities
    until waits_for_job; do
        alive || not_started "the guest did not start"
        if (($(date +%s%3N) - began > seconds * 1000)); then
            not_started "after $seconds s the guest still waits for nothing: it hangs, or is slow (--seconds)"
        fi
        if (($(date +%s%3N) - began - last >= 10000)); then
            last=$(($(date +%s%3N) - began))
            tell "booting, $(passed_time)"
        fi
        sleep 0.2
    done
}

cdvm=$(find_cdvm) || exit
image=$(setting image build/image)
argv_text=$("$cdvm" provider --print-argv "${passed[@]}") || exit
mapfile -t argv <<<"$argv_text"
append=''
for ((i = 0; i < ${#argv[@]} - 1; i++)); do [[ ${argv[i]} != -append ]] || append=${argv[i + 1]}; done
if [[ ! $dir ]]; then
    dir=${XDG_RUNTIME_DIR:-/tmp}/cdvm-launch
    [[ $DRY ]] || { dir=$(mktemp -d "$dir.XXXXXX") && made=1; }
fi
trap tidy EXIT
make_line
show_line
[[ ! $DRY ]] || exit 0
[[ -d $dir ]] || mkdir -m 0700 "$dir"
trap 'exit 130' INT TERM HUP
lease_gpu "$(setting gpu '')"
start_guest
trap '' PIPE # a QEMU that is gone is noticed by its exit
until_waiting
tell "the guest waits for a job after $(passed_time), at $dir/door"
if [[ $once ]]; then
    stop_guest
    tell "stopped"
    exit 0
fi
tell "Ctrl-C stops it"
while alive; do IFS= read -r -t 1 _ <&"$from" || true; done
tell "the guest has ended after $(passed_time)"
