/* What plain*.c share. */
#ifndef CDVM_PLAIN_PRIV_H
#define CDVM_PLAIN_PRIV_H

#include "tui/plain.h"

#define PLAIN_OFFERS 40 /* listed at once */

/* How far a job has been told. */
struct plain_job {
    unsigned number; /* 0: free */
    enum session_state state;
    uint32_t claimed, seen; /* bits 1 << enum step */
    const struct check *verdict;
    size_t entry;     /* of its chat: the next one to be told */
    struct buf begun; /* of that entry: what was told already, while it grows */
    int64_t progress; /* loop_now when progress was told last */
};

struct plain {
    struct app *a;
    const struct plain_out *out;
    void *arg;
    char status[256]; /* told last */
    bool settled, asking;
    enum prompt_then asked; /* the open question, as it was told */
    size_t asked_body;
    struct plain_job job[APP_JOBS];
    struct {
        uint8_t pubkey[32];
        char d[64];
    } offer[PLAIN_OFFERS]; /* by the numbers last told */
    size_t n_offers;
};

void plain_say(struct plain *p, const char *fmt, ...) PRINTF_LIKE(2, 3); /* a line, or several */
void plain_say_text(struct plain *p, struct view text);                  /* sanitised on the way */

/* --- plain_show.c --- */
void plain_show_offers(struct plain *p);
void plain_show_offer(struct plain *p);
void plain_show_jobs(struct plain *p);
void plain_show_tree(struct plain *p);
void plain_show_check(struct plain *p, const char *id);
void plain_show_files(struct plain *p);
void plain_show_end(struct plain *p);
void plain_show_first(struct plain *p); /* the question of the first start in hand */
void plain_show_keys(struct plain *p);
void plain_show_status(struct plain *p);
void plain_show_drawn(struct plain *p);  /* the screen as it would be drawn */
void plain_show_screen(struct plain *p); /* the one that the model is on */

#endif
