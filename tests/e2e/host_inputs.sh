#!/bin/bash
# What a host may hand to the guest beside what is measured: it has no effect, or there is no job. And what the
# guest shows the host: nothing on a serial line, no read of a disk once it is ready.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
# shellcheck source=/dev/null
. tests/e2e/guest.bash

command -v python3 >/dev/null || skip_all "no python3"
PROBE=$(probe_volume probe)
MODEL=$(model_volume)
BOTH=$(append "$PROBE" "$MODEL")
export MODEL_VOLUME=$T/model.vol
OPEN=${BOTH/ acpi=off/}

# An SSDT whose code, run while the table is loaded, writes "AML" to port 0xe9, where the host listens:
# OperationRegion (PRT0, SystemIO, 0xE9, 1), Field (PRT0, ByteAcc) {P0__, 8}, three Store (n, P0__).
bad_aml() {
    printf 'SSDT\x50\x00\x00\x00\x02\x00CDVM  BADAML  \x01\x00\x00\x00CDVM\x01\x00\x00\x00'
    printf '\x5b\x80PRT0\x01\x0a\xe9\x0a\x01'
    printf '\x5b\x81\x0bPRT0\x01P0__\x08'
    printf '\x70\x0aAP0__\x70\x0aMP0__\x70\x0aLP0__'
}
bad_aml >"$T/badaml"
LISTENING=(-acpitable "file=$T/badaml" -chardev "file,id=ear,path=$T/heard" -device "isa-debugcon,iobase=0xe9,chardev=ear")

reads() { python3 tests/e2e/qmp_reads.py "$T/qmp"; }
saw() { line 'ANSWER ok port='; }

# --- as it should be; its disks are quiet once it is ready ---
mkdir "$T/gates"
VOLUME=$T/probe.vol APPEND=$BOTH start -qmp "unix:$T/qmp,server=on,wait=off"
job -q escape -q fill -w "$T/gates" &
asking=$!
check "a guest is ready" wait_for 60 said "$T/said" 'STATE ready'
before=$(reads)
touch "$T/gates/ask"
check "it answers" wait_for 60 said "$T/said" 'ANSWER ok ENOSPC'
same "from ready to the last answer it reads no block of workload and model" "$before" "$(reads)"
read -r _ model_bytes < <(sed -E 's/.*model=[0-9]+\/([0-9]+).*/x \1/' <<<"$before")
check "before, it had read all of them" test "${model_bytes:-0}" -ge "$(stat -c %s "$T/model.vol")"
touch "$T/gates/end"
wait "$asking"
wait_for 30 gone
usual=$(saw)
check "what its workload sees is known" test -n "$usual"

# --- everything at once that QEMU hands on ---
VOLUME=$T/probe.vol APPEND=$BOTH start "${LISTENING[@]}" -serial "file:$T/serial" \
    -fw_cfg name=opt/org.cdvm/debug,string=1 -fw_cfg name=opt/io.systemd.credentials/cdvm.work,string="$WORK" \
    -fw_cfg name=opt/org.qemu/cmdline,string=cdvm.debug=1 \
    -smbios type=0,vendor=cdvm.debug=1 -smbios type=1,manufacturer=Amazon,product=cdvm,serial="ds=nocloud;s=http://10.0.2.2/" \
    -smbios type=11,value=io.systemd.credential:cdvm.work="$WORK",value=cdvm.debug=1 \
    -rtc base=2001-09-09T01:46:40 -boot menu=on,splash-time=1 -uuid 11111111-2222-3333-4444-555555555555
job -q escape
same "fw_cfg, SMBIOS, ACPI, UUID and clock change no state" "booted,keyed,attested,accepted,ready,wiping" "$(states)"
same "... nor what is bound" "HELLO binding right" "$(line HELLO)"
same "... nor anything that the workload sees" "$usual" "$(saw)"
check "... nor the end" grep -qE 'RECEIPT end in [0-9]+ out [0-9]+ check 0' "$T/said"
same "a serial line of the host's stays empty" 0 "$(stat -c %s "$T/serial")"
same "the host's ACPI code does not run (acpi=off)" "" "$(cat "$T/heard")"

# --- the same code in the release that takes ACPI tables: the attack is real, and so are its two vCPUs ---
CPUS=2 VOLUME=$T/probe.vol APPEND=$OPEN start "${LISTENING[@]}"
job -q escape
same "BadAML: it runs in a guest with acpi open" "AML" "$(cat "$T/heard")"
same "acpi open: two vCPUs serve a job" "booted,keyed,attested,accepted,ready,wiping" "$(states)"
same "... and the workload has both" "cpus=2" "$(saw | grep -oE 'cpus=[0-9]+')"

# --- the kernel's environment (another command line is another launch digest: hostile_host.sh) ---
VOLUME=$T/probe.vol APPEND="$BOTH LD_PRELOAD=/init PATH=/tmp CDVM_DEBUG=1 -- --debug" start
job -q escape
same "words of the command line reach no workload" "$usual" "$(saw)"

# --- disks ---
truncate -s 8M "$T/scratch"
mkswap "$T/scratch" >/dev/null 2>&1 || /sbin/mkswap "$T/scratch" >/dev/null 2>&1
sum=$(sha256sum <"$T/scratch")
disk() { printf -- '-drive file=%s,if=none,id=%s,format=raw -device virtio-blk-pci,drive=%s,serial=%s,disable-legacy=on' "$T/scratch" "$1" "$1" "$1"; }
# shellcheck disable=SC2046 # words
MODEL_VOLUME='' VOLUME=$T/probe.vol APPEND=$(append "$PROBE") start $(disk swap) && job -q fill
check "a writable disk beside the workload: the job runs" grep -q 'ANSWER ok ENOSPC' "$T/said"
same "... and nothing was written to it" "$sum" "$(sha256sum <"$T/scratch")"
# shellcheck disable=SC2046
VOLUME=$T/probe.vol APPEND=$BOTH start $(disk swap) && job
same "a third disk: no key" "error: hardware" "$(states)"
VOLUME=$T/probe.vol APPEND=$BOTH start -drive "file=$T/scratch,if=none,id=n,format=raw" -device nvme,drive=n,serial=work && job
same "a disk of another kind: no key" "error: hardware" "$(states)"

# --- what the agent weighs (an initrd with a scale in it: another digest, the same agent) ---
MODEL_VOLUME='' weigh
check "a job on the scale" grep -q 'ANSWER ok n = ' "$T/said"
check "the agent takes less than 24 MB (${KIB:-unknown} KiB with its page tables)" test "${KIB:-99999}" -lt 23437
finish
