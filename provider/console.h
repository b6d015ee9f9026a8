/* The provider's pane: one line for each change, at most 80 columns, everything from outside
 * sanitised. With the sim backend every line says SIMULATED. */
#ifndef CDVM_CONSOLE_H
#define CDVM_CONSOLE_H

#include "core/bytes.h"

struct console;
/* out: where lines go (stdout); quiet: only errors. */
struct console *console_new(int out, bool simulated, bool quiet);
void console_free(struct console *c);

/* 12:01:07 SIMULATED  relay ws://127.0.0.1:7447 */
void console_say(struct console *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A sentence that is not cut to 80 columns. */
void console_notice(struct console *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* An error, whole: shown even when quiet. */
void console_error(struct console *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* 12:01:09 SIMULATED  7f21ab03  booting        1.2 s */
void console_job(struct console *c, const uint8_t job[static 32], const char *step, int64_t age_ms,
                 const char *note);

#endif
