/* What writes for `cdvm ask`, shared by cli_ask_print.c, cli_ask_answer.c, cli_ask_save.c and
 * cli_ask_term.c. */
#ifndef CDVM_CLI_ASK_PRIV_H
#define CDVM_CLI_ASK_PRIV_H

#include "ask.h"
#include "core/text.h"
#include "model.h"
#include "pace.h"
#include "sources.h"

struct ask_out {
    const struct ask_args *a;
    bool simulated; /* known once there is a verdict, true from then on */
    int64_t began;
    struct buf streamed; /* of the answer, as it came in deltas */
    uint64_t shown_done; /* progress is printed when it has moved by a twentieth */
    struct model model;
    struct sources sources; /* of the answer that is being given */
    struct pace pace;
    int64_t shown_at;  /* loop_now of the last line about the guest's progress */
    bool one_terminal; /* answer and progress go to the same screen */
    bool live, colour; /* standard error is a terminal: a line of progress that is written over */
    bool live_shown;
    size_t question, of; /* the one that was asked last, from 1; 0 none */
    bool answering;      /* it has no answer yet */
    struct err failed;   /* standard output takes no more; code "" while it does */
};

/* To standard output, at once. The first failure stands. */
void ask_write(struct ask_out *o, struct view text);
char *ask_safe(struct view v, enum text_mode mode); /* owned */
/* One event as a JSON object on a line; outside text in it is sanitised too: it ends up on
 * terminals. */
struct jw ask_json_begin(const struct ask_out *o, struct buf *b, const char *event);
void ask_json_text(struct jw *w, const char *key, struct view v);
void ask_json_end(struct ask_out *o, struct jw *w);
void ask_json_meta(struct jw *w, const struct xfer_meta *m);

typedef void ask_show_fn(struct ask_out *o, const struct session *s,
                         const struct session_event *ev);
void ask_term_init(struct ask_out *o);
void ask_live(struct ask_out *o, const char *words); /* where o->live */
void ask_live_clear(struct ask_out *o);
void ask_tree(struct ask_out *o, struct view tree); /* text of a verdict, to standard error */
/* What could not be written where it was wanted: into a folder of the program's own. Says where. */
int ask_rescue(const char *name, struct view data, char **path, struct err *e) WARN_UNUSED;

ask_show_fn ask_on_delta, ask_on_answer, ask_on_progress, ask_on_sources, ask_on_table;

#endif
