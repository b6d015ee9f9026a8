/* The processor as a program in a sandbox without /proc can know it. */
#ifndef CDVM_WORKLOAD_CPU_H
#define CDVM_WORKLOAD_CPU_H

#include <stdbool.h>

/* QEMU's translator runs this, no real processor does. It is the host that says so; only speed and
 * words depend on it. */
bool cpu_emulated(void);
unsigned cpu_count(void); /* that this process may use; at least 1 */

#endif
