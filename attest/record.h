/* What a finished job left: is the receipt this guest's and this job's, and what does it cover. */
#ifndef CDVM_RECORD_H
#define CDVM_RECORD_H

#include "evidence.h"

/* Adds the group "receipt", when there is a receipt or a teardown. */
void record_verify(struct verdict *v, const struct evidence *ev, const struct expect *x);

#endif
