/* The terminal as it was, given back: at the end, for a suspension, and after a crash.
 *
 * One string of bytes, made once the terminal has started, does it all: our modes off, the screen
 * cleared (nothing stays, also where there is no alternate screen), attributes, cursor, keypad, and
 * the main screen. Then the settings of before. After SIGSEGV, SIGABRT, SIGBUS, SIGFPE or SIGILL
 * the same is done with write() and tcsetattr() alone; then the signal takes its default course. */
#ifndef CDVM_RESTORE_H
#define CDVM_RESTORE_H

#include "core/bytes.h"

/* Remembers the settings of standard input. Error "no-terminal". */
int restore_remember(struct err *e) WARN_UNUSED;
/* modes_off: what undoes the modes set beside terminfo's. screen: the screen is cleared and left;
 * after newterm. */
void restore_arm(const char *modes_off, bool screen);
void restore_raw(void);   /* standard input gives every key as it comes */
void restore_lines(void); /* the same, but Ctrl-C and Ctrl-Z stay signals, and output is as ever */
void restore_done(void);  /* gives the terminal back; waits two seconds for it at most */
void restore_disarm(void);
void restore_stop_here(void); /* SIGTSTP; returns when the program goes on */

#endif
