/* What QEMU, a kernel or the GPU's driver says when a confidential guest does not come up, in a
 * sentence that names the cause and the cure. A provider reads QEMU alone, since its guests have no
 * console; an operator has logs (cdvm doctor --explain). */
#ifndef CDVM_VM_FAULT_H
#define CDVM_VM_FAULT_H

struct vm_fault {
    const char *code;  /* for the customer: cdvm-protocol(7), "Errors" */
    const char *means; /* a literal */
};
/* NULL when the complaint is not a known one. */
const struct vm_fault *vm_fault(const char *complaint);

#endif
