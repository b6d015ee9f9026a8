/* Filling in findings: bounded text, and comparisons that say both sides. */
#ifndef CDVM_FINDING_H
#define CDVM_FINDING_H

#include "verdict_make.h"

void finding_expected(struct finding *f, const char *fmt, ...) PRINTF_LIKE(2, 3);
void finding_got(struct finding *f, const char *fmt, ...) PRINTF_LIKE(2, 3);
void finding_why(struct finding *f, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Hexadecimal of up to 99 bytes. */
void finding_expected_hex(struct finding *f, struct view v);
void finding_got_hex(struct finding *f, struct view v);
/* NOT CHECKED, and why. */
void finding_absent(struct finding *f, const char *why);

#endif
