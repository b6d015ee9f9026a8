#!/bin/bash
# The scripts for a host, on machines described by folders: what they would do, what they do, what they refuse.
# UPDATE_HOSTS=1 writes what they print now to tests/hosts/*.said.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
S=qemu-scripts ROOT='' MACHINES=0 BDF=0000:41:00.0
export SUDO_USER=''

# --- machines ---

# change LINE   one line of a description (tests/unit/host.h)
change() {
    local path=$ROOT/sys/${1%% *} rest=${1#* }
    mkdir -p "${path%/*}"
    case $rest in
    '-> '*) ln -sfn "${rest#-> }" "$path" ;;
    '= '*) echo "${rest#= }" >"$path" ;;
    '+ '*) echo "${rest#+ }" >>"$path" ;;
    esac
}
# machine NAME [LINE]...   ROOT becomes that machine, with these changes
machine() {
    local line d
    [[ ! $ROOT ]] || rm -rf "$ROOT" # its kernel ends with it
    ROOT=$T/machine.$((MACHINES += 1))
    gpu=(--root "$ROOT" --leases "$T/leases")
    mkdir -p "$ROOT"/{proc/self,run,etc/default,dev} "$ROOT/sys/bus/pci/drivers/vfio-pci"
    while IFS= read -r line; do [[ ! $line || $line == '#'* ]] || change "$line"; done <"tests/hosts/$1.tree"
    shift
    for line in "$@"; do change "$line"; done
    for d in "$ROOT"/sys/bus/pci/devices/*; do
        : >"$d/driver_override"
        if [[ -L $d/driver ]]; then mkdir -p "$ROOT/sys/bus/pci/drivers/$(basename "$(readlink "$d/driver")")"; fi
    done
    for d in "$ROOT"/sys/bus/pci/drivers/*; do : >"$d/unbind"; done
    : >"$ROOT/sys/bus/pci/drivers_probe"
}
# kernel [UNWILLING]...   answers there; ends with the machine
kernel() {
    tests/e2e/pci_kernel.py "$ROOT/sys" "$@" &
    PIDS+=($!)
    sleep 0.2
}
own() { change "bus/pci/devices/$1/driver -> ../../drivers/$2"; } # BDF DRIVER
host_gpu() { # the H100 is the host's, with NVIDIA's driver
    machine "$@"
    rm -rf "$ROOT/sys/bus/pci/devices/$BDF/vfio-dev"
    own $BDF nvidia
    mkdir -p "$ROOT/sys/bus/pci/drivers/nvidia"
    : >"$ROOT/sys/bus/pci/drivers/nvidia/unbind"
}
driver() { basename "$(readlink "$ROOT/sys/bus/pci/devices/$1/driver")" 2>/dev/null; }

# --- what is asked of them ---

# script NAME WORD...   its output is in $T/out, its errors in $T/err
script() {
    local name=$1
    shift
    "$S/$name.sh" "$@" >"$T/out" 2>"$T/err" </dev/null
}
# ends WANT NAME SCRIPT WORD...   checks its exit code
ends() {
    local want=$1 name=$2
    shift 2
    script "$@"
    same "$name" "$want" "$?"
}
says() { check "$1" grep -qE -- "$2" "$T/err"; }
# golden NAME   what was printed, with ROOT as /
golden() {
    sed "s|$ROOT||g" "$T/out" >"$T/said"
    [[ ! ${UPDATE_HOSTS:-} ]] || cp "$T/said" "tests/hosts/$1.said"
    if diff -u "tests/hosts/$1.said" "$T/said" >"$T/diff" 2>&1; then pass "$1: it would do exactly that"; else
        fail "$1: it would do exactly that" "$T/diff"
    fi
}
picture() { find "$ROOT" \( -type f -printf '%P %s ' -exec sha256sum {} \; \) -o \( -type l -printf '%P %l\n' \) -o -printf '%P\n' | sort; }
# dry NAME SCRIPT WORD...   --dry-run: as expected, and nothing has changed
dry() {
    local name=$1 before
    shift
    before=$(picture)
    ends 0 "$name: a dry run ends well" "$@" --dry-run
    golden "$name"
    same "$name: and changes nothing" "$before" "$(picture)"
}

for f in prepare-host bind-gpu unbind-gpu check-host launch-guest fetch-collateral; do
    ends 0 "$f --help" "$f" --help
    check "... says how it is used" grep -q "^usage: $f.sh" "$T/out"
done

# --- bind-gpu, unbind-gpu ---

mkdir "$T/leases"
machine one-h100
dry bind-already bind-gpu "${gpu[@]}" $BDF
dry unbind-one unbind-gpu "${gpu[@]}" $BDF
host_gpu one-h100
dry bind-one bind-gpu "${gpu[@]}" $BDF
host_gpu shared-group
dry bind-shared bind-gpu "${gpu[@]}" $BDF

host_gpu one-h100
kernel
ends 0 "bind-gpu binds" bind-gpu "${gpu[@]}" $BDF
same "... to vfio-pci" vfio-pci "$(driver $BDF)"
check "... and says which device file it is" grep -q '/dev/vfio/devices/vfio[0-9]' "$T/out"
same "... the bridge of the group stays" pcieport "$(driver 0000:40:01.1)"
same "... and so does what is in another group" bnxt_en "$(driver 0000:01:00.0)"
ends 0 "a second time nothing is to be done" bind-gpu "${gpu[@]}" $BDF
ends 0 "unbind-gpu gives it back" unbind-gpu "${gpu[@]}" $BDF
same "... to the driver that had it" nvidia "$(driver $BDF)"
same "... without a trace" "" "$(cat "$ROOT/sys/bus/pci/devices/$BDF/driver_override")$(ls "$ROOT/run/cdvm/driver")"
ends 0 "once more it is the host's already" unbind-gpu "${gpu[@]}" $BDF

host_gpu shared-group
kernel
ends 0 "the whole group is bound" bind-gpu "${gpu[@]}" $BDF
same "... the disk controller with it" "vfio-pci vfio-pci" "$(driver $BDF) $(driver 0000:42:00.0)"
ends 0 "and given back" unbind-gpu "${gpu[@]}" $BDF
same "... each to its own" "nvidia nvme" "$(driver $BDF) $(driver 0000:42:00.0)"

host_gpu shared-group
kernel 0000:42:00.0
CDVM_SETTLE=1 ends 1 "a function that vfio-pci does not take" bind-gpu "${gpu[@]}" $BDF
says "... is named" '0000:42:00.0'
# shellcheck disable=SC2317 # called through wait_for
restored() { [[ "$(driver "$BDF") $(driver 0000:42:00.0)" == 'nvidia nvme' ]]; }
wait_for 30 restored
same "... and the whole group is as before" "nvidia nvme" "$(driver $BDF) $(driver 0000:42:00.0)"

host_gpu one-h100
mkdir "$ROOT/run/cdvm" && : >"$ROOT/run/cdvm/driver"
kernel
CDVM_SETTLE=1 ends 1 "where it cannot be noted which driver had it" bind-gpu "${gpu[@]}" $BDF
same "... it is not taken" nvidia "$(driver $BDF)"
ends 64 "--leases without its folder" bind-gpu $BDF --leases
says "... is told" 'leases wants a folder'

# Who uses it: a job, a process, the machine itself.
host_gpu one-h100
echo "$BDF nvidia" >"$T/leases/$BDF.lease"
exec {lease}<"$T/leases/$BDF.lease"
flock "$lease"
for s in bind-gpu unbind-gpu; do
    ends 75 "$s: a leased GPU is refused" $s "${gpu[@]}" $BDF
    says "... with the lease's name" "$BDF.lease"
done
exec {lease}<&-
machine one-h100
mkdir -p "$ROOT/var/lib/cdvm/gpu" && echo ready >"$ROOT/var/lib/cdvm/gpu/$BDF.step"
ends 75 "what a job left on it is not the host's" unbind-gpu "${gpu[@]}" $BDF
says "... it has to be reset" 'left by a job \(ready\).*reset'
rm "$T/leases/$BDF.lease" "$ROOT/var/lib/cdvm/gpu/$BDF.step"
mkdir -p "$ROOT/proc/812/fd" && echo qemu-system-x86 >"$ROOT/proc/812/comm"
ln -s /dev/vfio/devices/vfio0 "$ROOT/proc/812/fd/31"
ends 75 "a GPU that a guest has is refused" unbind-gpu "${gpu[@]}" $BDF
says "... with the process" '812 \(qemu-system-x86\)'
same "... and is still bound" vfio-pci "$(driver $BDF)"
host_gpu one-h100
mkdir -p "$ROOT/proc/900/fd" "$ROOT/proc/driver/nvidia/gpus/$BDF" && echo nvidia-persiste >"$ROOT/proc/900/comm"
printf 'Model: \t\t NVIDIA H100\nDevice Minor: \t 3\n' >"$ROOT/proc/driver/nvidia/gpus/$BDF/information"
ln -s /dev/nvidia3 "$ROOT/proc/900/fd/9"
ends 75 "a GPU that the host's driver serves to somebody is refused" bind-gpu "${gpu[@]}" $BDF
says "... with the process" '900 \(nvidia-persiste\)'
# disk FILE LINE   the disk of the group, where Linux shows it, and this line in FILE
disk() {
    host_gpu shared-group 'bus/pci/devices/0000:42:00.0/nvme/nvme0/nvme0n1/nvme0n1p2/dev = 259:2' \
        'class/block/nvme0n1p2 -> ../../bus/pci/devices/0000:42:00.0/nvme/nvme0/nvme0n1/nvme0n1p2'
    echo "$2" >"$ROOT/proc/$1"
}
disk self/mountinfo '29 1 259:2 / / rw - ext4 /dev/root rw'
ends 75 "a group with the machine's own disk is refused" bind-gpu "${gpu[@]}" $BDF
says "... by its name" 'disk nvme0n1p2 is mounted'
disk self/mountinfo '29 1 0:24 /@ / rw shared:1 - btrfs /dev/nvme0n1p2 rw'
ends 75 "... also with btrfs, which has a number of its own" bind-gpu "${gpu[@]}" $BDF
disk swaps '/dev/nvme0n1p2                          partition	8388604	0	-2'
ends 75 "... and swapped to" bind-gpu "${gpu[@]}" $BDF
says "... which is said" 'disk nvme0n1p2 is swapped to'
disk self/mountinfo '29 1 259:3 / / rw - ext4 /dev/nvme1n1p2 rw'
ends 0 "another disk that is mounted is not in the way" bind-gpu "${gpu[@]}" $BDF --dry-run
sata=bus/pci/devices/0000:42:00.0/ata1/host0/target0:0:0/0:0:0:0/block/sda
host_gpu shared-group "$sata/dev = 8:0" "$sata/sda1/dev = 8:1" "class/block/sda1 -> ../../$sata/sda1"
echo '29 1 8:1 / / rw - ext4 /dev/sda1 rw' >"$ROOT/proc/self/mountinfo"
ends 75 "a disk that stands deeper" bind-gpu "${gpu[@]}" $BDF
says "... by its name" 'disk sda1 is mounted'
subsystem=devices/virtual/nvme-subsystem/nvme-subsys0
host_gpu shared-group "$subsystem/nvme0n1/dev = 259:0" "class/nvme-subsystem/nvme-subsys0 -> ../../$subsystem" \
    "$subsystem/nvme0 -> ../../../../bus/pci/devices/0000:42:00.0/nvme/nvme0" "class/block/nvme0n1 -> ../../$subsystem/nvme0n1" \
    'bus/pci/devices/0000:42:00.0/nvme/nvme0/dev = 240:0'
echo '29 1 259:0 / /data rw - xfs /dev/nvme0n1 rw' >"$ROOT/proc/self/mountinfo"
ends 75 "a disk with several ways to it" bind-gpu "${gpu[@]}" $BDF
says "... by its name" 'disk nvme0n1 is mounted'
host_gpu one-h100 "bus/pci/devices/$BDF/net/eth9/operstate = up"
ends 75 "a network card that is up as well" bind-gpu "${gpu[@]}" $BDF
says "... by its name" 'eth9 is up'

machine one-h100
ends 69 "a GPU that is not there" bind-gpu "${gpu[@]}" 0000:61:00.0
says "... those that are there are named" "there is $BDF"
ends 64 "what is no PCI address" bind-gpu "${gpu[@]}" 41:00.0
ends 64 "no GPU at all" bind-gpu "${gpu[@]}"
ends 64 "an unknown option" bind-gpu "${gpu[@]}" --force $BDF
rm "$ROOT/sys/bus/pci/devices/$BDF/iommu_group"
ends 69 "a GPU without IOMMU" bind-gpu "${gpu[@]}" $BDF
says "... where that is switched on" 'firmware'
machine snp-no-gpu
ends 69 "a machine without GPU" unbind-gpu "${gpu[@]}" $BDF

# --- prepare-host ---

# What this machine has and its apt offers, in the words of Debian's programs.
mkdir "$T/bin"
double() { { echo '#!/bin/bash' && cat; } >"$T/bin/$1" && chmod +x "$T/bin/$1"; }
double dpkg-query <<'END'
sed -n "s/^${*: -1} /installed /p" "$(dirname "$0")/packages"
END
double apt-cache <<'END'
grep " *$2 |" "$(dirname "$0")/offers"
END
double getent <<'END'
grep "^$2:" "$(dirname "$0")/users"
END
double id <<'END'
cat "$(dirname "$0")/groups"
END
for c in apt-get update-grub udevadm groupadd useradd usermod systemd-tmpfiles; do double $c <<<"touch '$T/ran'"; done
host() { # bare, backports or ready
    printf 'curl 8.14.1-2\n' >"$T/bin/packages"
    : >"$T/bin/users"
    echo seller kvm >"$T/bin/groups"
    printf ' qemu-system-x86 | 1:7.2+dfsg-7 | http://deb/debian bookworm/main amd64 Packages\nlinux-image-amd64 | 6.1.176-1 | http://deb/debian bookworm/main amd64 Packages\n' >"$T/bin/offers"
    echo 6.1.0-42-amd64 >"$ROOT/proc/sys/kernel/osrelease"
    touch "$ROOT/etc/default/grub"
    [[ $1 == bare ]] || printf 'qemu-system-x86 | 1:10.0.2+ds-2~bpo12+1 | http://deb/debian bookworm-backports/main amd64 Packages\nlinux-image-amd64 | 6.12.57-1~bpo12+1 | http://deb/debian bookworm-backports/main amd64 Packages\n' >"$T/bin/offers"
    [[ $1 == ready ]] || return 0
    printf 'qemu-system-x86 1:11.1.3-1\n' >>"$T/bin/packages"
    printf '%s\n' 'seller:x:1001:1001::/home/seller:/bin/bash' 'cdvm-gpu:x:990:seller' >"$T/bin/users"
    echo seller kvm cdvm-gpu >"$T/bin/groups"
    echo 6.12.57+deb13-amd64 >"$ROOT/proc/sys/kernel/osrelease"
}
prepare=(prepare-host --user seller)
PATH=$T/bin:$PATH
machine snp-no-gpu
mkdir -p "$ROOT/proc/sys/kernel"
host backports
dry prepare-backports "${prepare[@]}" --root "$ROOT"
machine shared-group
ends 69 "a GPU whose group has the machine's disk gets no rule" "${prepare[@]}" --gpu $BDF --root "$ROOT" --dry-run
says "... by its name" '0000:42:00.0'
machine one-h100
mkdir -p "$ROOT/proc/sys/kernel"
host bare
dry prepare-bare "${prepare[@]}" --gpu $BDF --root "$ROOT"
host ready
ends 64 "nobody is there to be asked" "${prepare[@]}" --gpu $BDF --root "$ROOT"
same "... so that nothing is written" "" "$(find "$ROOT/etc" -name '*cdvm*')"
ends 0 "with --yes it is done" "${prepare[@]}" --gpu $BDF --root "$ROOT" --yes
same "... six files" 6 "$(find "$ROOT/etc" -name '*cdvm*' | wc -l)"
if command -v udevadm >/dev/null && PATH=${PATH#*:} udevadm --version >/dev/null 2>&1 && PATH=${PATH#*:} udevadm verify --help >/dev/null 2>&1; then
    check "udev understands the rules" env PATH="${PATH#*:}" udevadm verify "$ROOT/etc/udev/rules.d/70-cdvm.rules"
else
    pass "udev understands the rules # SKIP there is no udevadm verify"
fi
# shellcheck disable=SC2016 # for the inner shell
same "GRUB's file is one that a shell reads, and adds a word" 'quiet iommu=nopt' \
    "$(GRUB_CMDLINE_LINUX_DEFAULT=quiet bash -c '. "$0" && echo "$GRUB_CMDLINE_LINUX_DEFAULT"' "$ROOT/etc/default/grub.d/cdvm.cfg")"
ends 0 "a second time nothing is to be done" "${prepare[@]}" --gpu $BDF --root "$ROOT" --yes
check "... and says so" grep -q 'Nothing to do' "$T/out"
echo edited >>"$ROOT/etc/security/limits.d/cdvm.conf"
ends 0 "what was changed by hand is written anew" "${prepare[@]}" --gpu $BDF --root "$ROOT" --yes
same "... that alone" /etc/security/limits.d/cdvm.conf "$(sed -n 's/^write   \([^:]*\):.*/\1/p' "$T/out")"
same "the leases are no group's of QEMU" '2770 root cdvm-gpu' "$(sed -n 's|^d /run/cdvm/gpu \(.*\) -$|\1|p' "$ROOT/etc/tmpfiles.d/cdvm.conf")"
echo seller kvm >"$T/bin/groups"
ends 0 "whom an earlier version prepared" "${prepare[@]}" --gpu $BDF --root "$ROOT" --dry-run
same "... comes into the leases' group" 'run     usermod -aG kvm,cdvm-gpu seller' "$(grep usermod "$T/out")"
ends 69 "a GPU that is not there" "${prepare[@]}" --gpu 0000:99:00.0 --root "$ROOT" --yes
dry prepare-undo prepare-host --undo --root "$ROOT"
ends 0 "--undo removes them" prepare-host --undo --root "$ROOT" --yes
same "... all" "" "$(find "$ROOT/etc" -name '*cdvm*')"
check "with --root no command was run" test ! -e "$T/ran"
ends 64 "a name that is none" prepare-host --user 'x;y' --dry-run
ends 64 "an option without its value" prepare-host --dry-run --gpu
says "... is told" '--gpu wants a value'
PATH=${PATH#*:}

# --- check-host, launch-guest ---

ends 0 "check-host" check-host --dry-run --json
same "... calls doctor" "    $CDVM doctor --json" "$(cat "$T/out")"
# A line with a GPU, before the names of an image's files: nothing of it can run here.
mkdir "$T/h100" && touch "$T/h100"/{base,work,model}.vol
root=$(printf '%064d' 7)
sed "s/cdvm.work=x/cdvm.base=$root:10 cdvm.work=$root:10 cdvm.model=$root:10/" tests/hosts/one-h100.argv >"$T/h100.argv"
double cdvm <<<"cat '$T/h100.argv'"
ROOT=$T CDVM=$T/bin/cdvm ends 0 "launch-guest with a GPU" launch-guest --dry-run --gpu $BDF --image "$T/h100" --dir "$T/h100"
ROOT=$T golden launch-h100
[[ -f $IMAGE/initrd ]] || { echo "# no guest image: make image" && finish; }
only table
"$CDVM" image manifest "$IMAGE" --version test >/dev/null
launch=(launch-guest --backend sim --accel tcg --image "$IMAGE" --dir "$T/launch")
ends 0 "launch-guest --dry-run" "${launch[@]}" --dry-run
check "... shows no descriptor" test "$(grep -cE '/proc/self|fdset|fd=' "$T/out")" = 0
check "... and starts nothing" test ! -e "$T/launch"
tr -d '\\\n' <"$T/out" | xargs -n 1 printf '%s\n' >"$T/words"
"$CDVM" provider --print-argv --backend sim --accel tcg --image "$IMAGE" >"$T/argv"
same "the rest is the provider's own line" "$(grep -vE 'fd[s=]|-add-fd|/proc/self' "$T/argv")" \
    "$(grep -vE "^(stdio,id=qmp.*|socket,id=door.*|$IMAGE/.*|.*file.filename=.*)$" "$T/words")"
ends 1 "a guest that is not there in time" "${launch[@]}" --seconds 1
says "... is told" 'after 1 s the guest still waits'
ends 1 "what QEMU refuses" "${launch[@]}" --vcpus 500
says "... is told in its words" 'QEMU says: .*500'
ends 78 "what the provider refuses" "${launch[@]}" --memory 1
"$S/launch-guest.sh" "${launch[@]:1}" >"$T/out" 2>"$T/err" &
launcher=$!
"$S/launch-guest.sh" "${launch[@]:1}" --dir "$T/another" --once >"$T/once" 2>&1 &
once=$!
PIDS+=("$launcher" "$once")
wait_for 60 said "$T/out" 'waits for a job'
check "a guest is started by hand and waits for a job" said "$T/out" 'waits for a job after [0-9.]+ s, at '
if [[ -x $B/e2e/peer ]]; then
    timeout 60 "$B/e2e/peer" "$T/launch/door" -f examples/sales.csv -q 'SELECT 42 AS n' >"$T/job" 2>&1
    same "through its door it gets a job and becomes ready" "booted,keyed,attested,accepted,ready,wiping" \
        "$(grep -oE 'STATE .*' "$T/job" | cut -c7- | paste -sd,)"
    wait "$launcher"
    same "its end is the launcher's" 0 $?
    check "... told" said "$T/out" 'the guest has ended after'
fi
wait "$once"
same "one that is stopped once it waits" "0 stopped" "$? $(tail -n 1 "$T/once")"
same "no QEMU is left" "" "$(pgrep -af "^[^ ]*qemu-system.*$T/")"
finish
