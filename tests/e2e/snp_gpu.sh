#!/bin/bash
# Two providers and one GPU, described as a tree: a job has it, another is told so, a killed provider's is reset
# by the next, doubt is quarantine until the operator clears it. QEMU says what it says where iommufd refuses.
# The doctor is left out, as in snp_provider.sh.
# usage: tests/e2e/snp_gpu.sh
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
[[ -f $IMAGE/table.vol ]] || skip_all "no $IMAGE/table.vol: run make image"
if ((EUID != 0)) || ! unshare -m true 2>/dev/null; then skip_all "mount namespaces are root's"; fi
[[ -r /dev/kvm ]] || skip_all "there is no /dev/kvm to be passed on"
# shellcheck source=tests/e2e/snp.bash
. tests/e2e/snp.bash
GPU=0000:41:00.0

# --- an image whose offer has a GPU: the base is any volume here, for no guest gets as far as to open it ---
only table
rm "$IMAGE/cmdline.template"
mkdir "$T/base" && head -c 300000 /dev/urandom >"$T/base/blob"
base=$(qemu-scripts/make-volume.sh "$T/base" "$IMAGE/base.vol")
printf '%s cdvm.base=%s' "$(cat "$T/guest/cmdline.template")" "$base" >"$IMAGE/cmdline.template"
printf 'workload = table\ngpu = 1\n' >"$IMAGE/table.offer"
pin_image "$IMAGE" || fail "image manifests"

host_qemu /usr/bin/qemu-system-x86_64
cpu 25 17 'AMD EPYC 9354 32-Core Processor'
host_gpu $GPU
mode() { echo "gpu $*" >"$H/qemu/MODE"; }
gpus() { (on_host "$CDVM" provider --list-gpus) 2>&1; }

# start LOG STATE OPTION...   sets P and URL
start() {
    local log=$1 state=$2
    shift 2
    (on_host "$PWD/$B/e2e/ungated" --backend snp --qemu "$H/qemu/qemu" --image "$IMAGE" --state "$state" --name tester \
        --gpu $GPU --run-relay --queue 0 "$@") >"$log" 2>&1 &
    P=$!
    PIDS+=("$P")
    wait_for 30 said "$log" 'relays [1-9][0-9]*/[0-9]+ up' || { fail "provider" "$log" && finish; }
    URL=$(relay_of "$log")
}
# ask URL NAME
ask() { timeout 60 "$CDVM" ask --relay "$1" --timeout 50 --out "$T/answers" 'select 1' >"$T/$2.out" 2>"$T/$2.err"; }
mkdir "$T/answers"

check "the GPU is listed" grep -q "^$GPU  HOPPER .* vfio-pci .* free" <(gpus)

# --- one has it ---
mode silent
start "$T/one.log" "$T/one"
ONE=$P ONE_URL=$URL
check "its provider says that it is free" said "$T/one.log" "GPU $GPU free"
"$CDVM" offers --relay "$ONE_URL" --json >"$T/offers" 2>/dev/null
check "the offer has it" said "$T/offers" '"claims":"sev-snp\+gpu-cc".*"gpus":1,"gpu":"HOPPER"'
ask "$ONE_URL" first &
PIDS+=("$!")
wait_for 30 said "$T/one.log" ' booting ' || { fail "a guest" "$T/one.log" && finish; }
wait_for 30 test -s "$H/qemu/argv"
check "QEMU is given it by descriptors" grep -qE '^vfio-pci,fd=[0-9]+,bus=rp1,iommufd=iommufd0,rombar=0$' "$H/qemu/argv"
check "... with windows of its size" grep -qE '^pcie-root-port,.*pref64-reserve=1374[0-9]+,' "$H/qemu/argv"
check "the GPU is leased" grep -q "^$GPU .* leased$" <(gpus)

# --- another provider of the same host ---
start "$T/two.log" "$T/two"
check "the other provider sees that" said "$T/two.log" "GPU $GPU leased"
ask "$URL" second
check "its customer is told" said "$T/second.err" 'all GPUs of this provider are in use.*gpu-busy'

# --- the first one is killed in the middle ---
guest=$(pgrep -P "$ONE")
check "its guest is a process" test -n "$guest"
kill -KILL "$ONE"
wait "$ONE" 2>/dev/null
check "... and ends with its provider" wait_for 30 bash -c "! kill -0 $guest 2>/dev/null"
check "what it had is to be reset" grep -q "^$GPU .* to be reset$" <(gpus)
echo 0 >"$H/sys/bus/pci/devices/$GPU/reset"
mode bind
ask "$URL" third
check "the next customer's guest fails as QEMU says" said "$T/third.err" 'iommufd refuses the GPU.*gpu-failed'
check "... after the machine is gone and the GPU reset" said "$T/third.err" 'machine gone.*GPU reset'
check "the reset was asked of the kernel" grep -q 1 "$H/sys/bus/pci/devices/$GPU/reset"
check "the GPU is free" grep -q "^$GPU .* free$" <(gpus)

# --- doubt ---
gpu_register $GPU 0x1182cc '\x00'
ask "$URL" fourth
check "a GPU without CC is refused" said "$T/fourth.err" 'not fit for a guest.*gpu-unfit'
check "... and told to the operator" said "$T/two.log" "in quarantine: the CC mode of $GPU is off"
ask "$URL" fifth
check "none is left to rent" said "$T/fifth.err" 'no GPU of this provider is fit.*no-gpu'
end_process "$P"
check "quarantine outlives the provider" grep -q "^$GPU .* in quarantine: the CC mode of $GPU is off" <(gpus)
(on_host "$CDVM" provider --clear-gpu $GPU) >"$T/clear" 2>&1
same "an operator's word alone does not clear it" 69 $?
gpu_register $GPU 0x1182cc '\x01'
(on_host "$CDVM" provider --clear-gpu $GPU) >"$T/clear" 2>&1
same "... with the GPU well it does" 0 $?
check "it is free again" grep -q "^$GPU .* free$" <(gpus)
finish
