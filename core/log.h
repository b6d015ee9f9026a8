/* Levelled log to one file descriptor (a file, or stderr for daemons); never message content, never
 * keys. Text from outside should pass text_safe_new first; what that would drop is escaped here
 * anyway. */
#ifndef CDVM_LOG_H
#define CDVM_LOG_H

#include "bytes.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_to(int fd, enum log_level max, bool timestamps); /* fd is borrowed; -1 = silence */
void log_line(enum log_level level, const char *area, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
