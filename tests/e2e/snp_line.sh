#!/bin/bash
# The line of a confidential guest, before a QEMU that knows such guests: Debian's backport, fetched for the test
# and not installed. This machine's KVM has no SEV-SNP, so "not supported by KVM" is as far as a right line comes.
# usage: tests/e2e/snp_line.sh
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
[[ -s $IMAGE/ovmf.fd ]] || skip_all "there is no guest image: make image"
[[ -r /dev/kvm ]] || skip_all "there is no /dev/kvm to be asked"

# shellcheck source=tests/e2e/qemu10.bash
. tests/e2e/qemu10.bash
fetch_qemu || skip_all "QEMU 10 cannot be fetched from bookworm-backports, or does not run here"
head -c 1048576 /dev/zero >"$T/piece"

said=$(tests/e2e/snp_line.py "$qemu" tests/hosts/snp-no-gpu.argv "$IMAGE/ovmf.fd" "$T/piece")
same 'QEMU 10 takes the whole line, and only KVM is missing' \
    "qemu-system-x86_64: -accel kvm: vm-type SEV-SNP not supported by KVM" "$said"

sed 's/kernel-hashes=on/kernel-hashed=on/' tests/hosts/snp-no-gpu.argv >"$T/wrong.argv"
said=$(tests/e2e/snp_line.py "$qemu" "$T/wrong.argv" "$IMAGE/ovmf.fd" "$T/piece")
check 'a word that it does not know is refused, so that the first answer means something' grep -q "Invalid parameter 'kernel-hashed'" <<<"$said"

check 'QEMU 10.0 is found to have SEV-SNP and no GPU beside it' env CDVM_TEST_QEMU="$qemu" "$B/unit/test_qemu_able"
finish
