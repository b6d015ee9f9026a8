#!/bin/bash
# The doctor's small guest on a KVM that works: AMD's virtualization as QEMU emulates it, under the image's own
# kernel with Debian's KVM in it. On this machine's own KVM, whatever it is worth, tests/e2e/doctor.sh tries it.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
kernel=$(echo "$B"/root/cdvm/groups/kernel/boot/vmlinuz-*)
modules=$(echo "$B"/root/cdvm/groups/kernel/usr/lib/modules/*/kernel)
[[ -s $kernel && -s $modules/arch/x86/kvm/kvm-amd.ko.xz ]] || skip_all "the image's root is not unpacked: make image"

mkdir -p "$T/root/dev"
for m in virt/lib/irqbypass arch/x86/kvm/kvm arch/x86/kvm/kvm-amd; do
    xz -dc "$modules/$m.ko.xz" >"$T/root/${m##*/}.ko"
done
"${CC:-gcc}" -static -std=gnu17 -D_GNU_SOURCE -O2 -I. -o "$T/root/init" tests/tools/kvm_init.c "$B/libprovider.a" "$B/libcore.a" \
    2>"$T/link.log" || { fail "a static program" "$T/link.log" && finish; }
(cd "$T/root" && find . | cpio -o -H newc 2>/dev/null) >"$T/initrd"

# boots NAME CPU: what the guest's first process says
boots() {
    timeout 120 qemu-system-x86_64 -nodefaults -display none -no-reboot -accel tcg -cpu "$2" -m 512 -kernel "$kernel" \
        -initrd "$T/initrd" -append 'console=ttyS0 quiet panic=-1' -serial stdio </dev/null >"$T/$1.log" 2>&1
    grep -aoE 'OUTCOME.*' "$T/$1.log" | tr -d '\r' | sed 's/ *$//'
}
same "a KVM that works runs it" "OUTCOME 0" "$(boots svm EPYC)"
same "no KVM: said so" "OUTCOME 1 /dev/kvm: No such file or directory" "$(boots bare EPYC,-svm)"
finish
