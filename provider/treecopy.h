/* A folder of this machine into a stage, as it is but for what no volume has: owners, times, set-id
 * bits, extended attributes. Links are not followed; devices, pipes and sockets are refused. */
#ifndef CDVM_TREECOPY_H
#define CDVM_TREECOPY_H

#include "stage.h"

typedef void treecopy_told(void *arg, uint64_t done); /* bytes of the stage so far */

int treecopy(struct stage *s, const char *folder, treecopy_told *told, void *arg,
             struct err *e) WARN_UNUSED;
/* One file; links are followed to it. */
int treecopy_file(struct stage *s, const char *name, const char *from, treecopy_told *told,
                  void *arg, struct err *e) WARN_UNUSED;

#endif
