#!/bin/bash
# A provider with the backend snp, and a customer: everything but the silicon. The machine is a described one
# (processor, /dev/sev, in a mount namespace of the test's own); QEMU is Debian's backport, which takes the
# whole line and finds that this KVM has no SEV-SNP. The customer is told, and nothing is left behind. The
# doctor, who would refuse this machine, is the one part of `cdvm provider` that is left out.
# usage: tests/e2e/snp_provider.sh
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/qemu10.bash
. tests/e2e/qemu10.bash
[[ -f $IMAGE/table.vol ]] || skip_all "no $IMAGE/table.vol: run make image"
if ((EUID != 0)) || ! unshare -m true 2>/dev/null; then skip_all "mount namespaces are root's"; fi
[[ -r /dev/kvm ]] || skip_all "there is no /dev/kvm to be asked"
fetch_qemu || skip_all "QEMU 10 cannot be fetched from bookworm-backports, or does not run here"
only table
pin_image "$IMAGE" || fail "image manifests"

# shellcheck source=tests/e2e/snp.bash
. tests/e2e/snp.bash
host_qemu "$qemu"
cpu 25 17 'AMD EPYC 9354 32-Core Processor'

provider=("$PWD/$B/e2e/ungated" --backend snp --qemu "$H/qemu/qemu" --image "$IMAGE" --state "$T/provider" --name tester)

# --- what the host lacks is told before anything is offered ---
refused() { # NAME CODE WORDS
    (on_host "${provider[@]}" --run-relay) >"$T/out" 2>&1
    same "$1: its code" "$2" $?
    check "$1: its sentence" said "$T/out" "$3"
}
cpu 25 1 'AMD EPYC 7543 32-Core Processor'
refused "a Genoa guest on Milan" 69 "Milan generation.*set vcpu-type = EPYC-Milan"
cpu 23 49 'AMD EPYC 7742 64-Core Processor'
refused "a processor without SEV-SNP" 69 'EPYC 7742.*no SEV-SNP'
cpu 25 17 'AMD EPYC 9354 32-Core Processor'
touch "$H/no-sev"
refused "a host without /dev/sev" 69 'this machine has no /dev/sev'
rm "$H/no-sev"
echo 600 >"$H/sev-mode"
refused "a /dev/sev that is root's alone" 69 'for root alone.*chgrp kvm /dev/sev'
rm "$H/sev-mode"
provider[4]=/usr/bin/qemu-system-x86_64
if /usr/bin/qemu-system-x86_64 --version 2>/dev/null | grep -q 'version 7'; then
    refused "QEMU 7.2" 69 'QEMU 7\.2\.[0-9]+ lacks the object sev-snp-guest.*9\.1 or newer'
fi
provider[4]=$H/qemu/qemu

# --- a job, as far as this KVM goes ---
(on_host "${provider[@]}" --run-relay) >"$T/provider.log" 2>&1 &
P=$!
PIDS+=("$P")
wait_for 60 said "$T/provider.log" 'relays [1-9][0-9]*/[0-9]+ up' || fail "provider" "$T/provider.log"
URL=$(relay_of "$T/provider.log")
check "the provider says what its guests are" said "$T/provider.log" 'confidential: SEV-SNP on Genoa, QEMU 10\.'
check "... and nothing is SIMULATED" bash -c "! grep -q SIMULATED '$T/provider.log'"
"$CDVM" offers --relay "$URL" --json >"$T/offers" 2>/dev/null
check "its offer claims sev-snp" said "$T/offers" '"claims":"sev-snp"'

mkdir "$T/answers"
timeout 60 "$CDVM" ask --relay "$URL" --timeout 50 --out "$T/answers" 'select 1' >"$T/ask.out" 2>"$T/ask.err"
rc=$?
check "the customer's program fails" test "$rc" -ne 0
check "the customer is told why, by QEMU's own word" said "$T/ask.err" 'no SEV-SNP guests.*sev_snp=1'
check "... with the code" said "$T/ask.err" 'no-snp'
check "the operator has QEMU's line" said "$T/provider.log" 'vm-type SEV-SNP not supported by KVM'
check "the line had kernel hashes and the firmware" said "$H/qemu/argv" '^sev-snp-guest,.*cbitpos=51,.*policy=0x30000,kernel-hashes=on$'
check "no QEMU is left" bash -c "! pgrep -P $P"
check "no run directory is left" bash -c "[[ -z \$(find '$XDG_RUNTIME_DIR/cdvm' -mindepth 2 -print -quit) ]]"
end_process "$P"
finish
