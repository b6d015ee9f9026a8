/* What a person can do about a line of a verdict that is not PASS: one sentence each. */
#ifndef CDVM_REMEDY_H
#define CDVM_REMEDY_H

#include "attest/verdict.h"

/* "" where nothing is to be done: PASS, a group, or what is neither there nor required. */
const char *remedy_of(const struct check *c);

#endif
