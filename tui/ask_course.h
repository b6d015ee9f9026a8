/* What a job of `cdvm ask` is used for, once it is ready: the questions of the command line
 * (questions.c), or those that other programs bring (serve.c). ask.c finds the offer, runs the
 * session and decides by what the options said; a course asks. */
#ifndef CDVM_ASK_COURSE_H
#define CDVM_ASK_COURSE_H

#include "ask.h"

struct ask;
struct ask_course {
    bool stays; /* also when the job is over: only a signal ends the program */
    /* NULL on error. Called before anything is rented. */
    void *(*open)(struct ask *k, struct err *e);
    void (*free)(void *arg);
    void (*ready)(void *arg); /* the files are on their way, questions may follow */
    void (*event)(void *arg, const struct session_event *ev); /* after it has been printed */
    /* Ctrl-C: true when it stopped an answer, false to end the job. */
    bool (*interrupt)(void *arg);
    bool (*done)(void *arg); /* all that was asked has been answered */
    /* No guest will come, or it has gone. leaving: and the program ends now. */
    void (*over)(void *arg, const struct err *why, bool leaving);
};
extern const struct ask_course questions_course, serve_course;

const struct ask_args *ask_args_of(const struct ask *k);
struct ask_out *ask_out_of(const struct ask *k);
struct session *ask_session(const struct ask *k); /* NULL before an offer was chosen */
struct ws_net *ask_net(const struct ask *k);
void ask_set_code(struct ask *k, int code); /* of the process; the first one stands */
void ask_fail(struct ask *k, const struct err *e, int code); /* says it and ends the job */
void ask_end(struct ask *k);

#endif
