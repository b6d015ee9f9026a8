/* `cdvm ask`: one job without a screen. cli_ask.c reads options, ask.c runs the job and leaves the
 * asking to a course (ask_course.h), cli_ask_print.c writes. */
#ifndef CDVM_ASK_H
#define CDVM_ASK_H

#include "core/secret.h"
#include "questions.h"
#include "session.h"
#include "settings.h"

#define ASK_ATTACH_MAX 16
#define ASK_CONFIRM_MAX 64

struct ask_args {
    struct settings set;
    struct policy policy;
    const char *offer; /* "d" or "owner:d"; NULL: the only one that is alive */
    struct questions questions;
    bool keep_going;   /* also after a question that failed */
    const char *serve; /* address to serve other programs at, instead of questions; NULL none */
    const char *token_file; /* where their token goes; NULL: the terminal */
    const char *attach[ASK_ATTACH_MAX];
    size_t n_attach;
    const char *confirm[ASK_CONFIRM_MAX]; /* ids of WARNs that the user accepts */
    size_t n_confirm;
    bool accept_warn;      /* all of them */
    bool accept_simulated; /* typed: I know that this machine is simulated */
    struct job_param params[JOB_PARAMS_MAX];
    size_t n_params;
    const char *bundle;   /* file for the receipt bundle; NULL none */
    const char *messages; /* file for the messages in the clear; NULL none */
    int timeout_s;        /* for the whole job; 0 none */
    uint32_t minutes;     /* the lease that is asked for; 0 the usual */
    bool json;
    struct identities *identities; /* the chosen one is introduced; NULL: nobody is */
};

struct ask_out;
/* Returns the process's exit code. */
int ask_run(const struct ask_args *a);

/* --- printing; stdout has results, stderr has progress --- */
struct ask_out *ask_out_new(const struct ask_args *a);
void ask_out_free(struct ask_out *o);
/* A line of progress, in words of ours. */
void ask_say(struct ask_out *o, const char *fmt, ...) PRINTF_LIKE(2, 3);
void ask_error(struct ask_out *o, const struct err *e);
void ask_offer(struct ask_out *o, const struct offer *offer); /* the one that was chosen */
void ask_event(struct ask_out *o, const struct session *s, const struct session_event *ev);
/* A result file under the user's folder: 0600, never over another. Prints path and hash. Where it
 * cannot be written there it goes to a folder of the program's own, and the error says where. */
int ask_save(struct ask_out *o, const struct xfer_meta *m, struct view data,
             struct err *e) WARN_UNUSED;
void ask_bundle_saved(struct ask_out *o, const char *path);
/* Question `number` of `of`, from 1, has been asked. */
void ask_question(struct ask_out *o, size_t number, size_t of, const char *text);
/* Standard output takes no more: why, in words. */
bool ask_out_failed(const struct ask_out *o, struct err *why);
/* Where programs find the endpoint, and its token: shown (the only place where it is), or in
 * `file`. */
void ask_served(struct ask_out *o, const char *address, const struct secret *token,
                const char *file);
void ask_ended(struct ask_out *o, int code); /* the last that is said */

#endif
