/* The screens: each draws a const struct app. scr.c has the frame around them (header, banner,
 * status, footer), scr_*.c one screen each. */
#ifndef CDVM_SCR_H
#define CDVM_SCR_H

#include "tui/app.h"
#include "tui/draw.h"

#define SCR_MIN_ROWS 16
#define SCR_MIN_COLS 60

/* Where things stand at this size; computed alike for app_prepare and for drawing. */
struct scr_sizes {
    struct rect body;
    int offers;          /* rows of the list */
    int pane;            /* rows under the list, rule included */
    bool job_titles;     /* over the list of jobs */
    int jobs;            /* rows of that list */
    int receipts;        /* rows of the list of receipts */
    int head, tree, why; /* of the attestation: rows above the tree, of it, of the explanation */
    struct rect chat;    /* rows of the conversation */
    struct rect input;
    int transfers, indent;
    int options;            /* rows of the settings */
    int first;              /* rows of a step of the first start */
    struct rect page, help; /* offer, end; help */
    struct rect source;     /* the document around a passage */
    struct rect proof;      /* the page beside a tree */
    int split;              /* rows of the newest text while reading above */
    int files;              /* rows of the list of files */
    struct rect table;      /* its rows, without titles */
};
struct scr_sizes scr_sizes(const struct app *a);

struct scr_cursor {
    int y, x; /* y < 0: hidden */
};
void scr_footer_draw(const struct app *a);
void scr_draw(const struct app *a); /* one whole frame, sent to the terminal */

struct scr_cursor scr_offers_draw(const struct app *a, const struct scr_sizes *s);
struct scr_cursor scr_jobs_draw(const struct app *a, const struct scr_sizes *s);
struct scr_cursor scr_attest_draw(const struct app *a, const struct scr_sizes *s);
struct scr_cursor scr_proof_draw(const struct app *a, const struct scr_sizes *s);
struct scr_cursor scr_receipts_draw(const struct app *a, const struct scr_sizes *s);
struct scr_cursor scr_receipt_draw(const struct app *a, const struct scr_sizes *s);
struct scr_cursor scr_chat_draw(const struct app *a, const struct scr_sizes *s);
struct scr_cursor scr_source_draw(const struct app *a, const struct scr_sizes *s);
struct scr_cursor scr_first_draw(const struct app *a, const struct scr_sizes *s);
struct scr_cursor scr_settings_draw(const struct app *a, const struct scr_sizes *s);
struct scr_cursor scr_palette_draw(const struct app *a, const struct scr_sizes *s);
/* As much of a typed line as fits w cells, with the cursor in it; returns the cursor's column. */
int scr_typed_draw(const struct edit *e, int y, int x, int w);
struct scr_cursor scr_table_draw(const struct app *a, const struct scr_sizes *s);
struct scr_cursor scr_files_draw(const struct app *a, const struct scr_sizes *s);
struct scr_cursor scr_end_draw(const struct app *a, const struct scr_sizes *s);
struct scr_cursor scr_prompt_draw(const struct app *a);
void scr_help_draw(const struct app *a, const struct scr_sizes *s);

/* One transfer in a row: a bar, how far it is, how fast, how long still. */
void scr_transfer_draw(const struct app *a, const struct app_file *f, int y, int x, int w);

/* Pages are filled when empty, and again when what they tell has changed. */
void scr_offer_fill(const struct app *a, struct pager *p);
void scr_diff_fill(const struct app *a, struct pager *p); /* of two receipts */
void scr_proof_fill(const struct app *a, struct pager *p);
void scr_end_fill(const struct app *a, struct pager *p);
void scr_help_fill(const struct app *a, struct pager *p);
/* gutter: how it looks beside a text; one that stands alone looks as its line does. */
void scr_page_draw(const struct pager *p, struct rect r, int indent, enum role gutter);
#define SCR_HELP_INDENT 19
#define SCR_END_INDENT 13

/* A verdict's tree on a screen, of a job or of a saved bundle. changed, accepted: what a line is
 * marked with; NULL: no line. */
struct scr_proof {
    const struct tree *tree;
    const struct exhibit *exhibit;
    bool simulated;
    bool (*changed)(const void *arg, const struct check *c);
    bool (*accepted)(const void *arg, const struct check *c);
    const void *arg;
};
void scr_tree_draw(const struct scr_proof *p, int y, int h, int cols);
void scr_why_draw(const struct scr_proof *p, int y, int h,
                  int cols); /* of the line under the cursor */
/* Field by field. */
void scr_facts_fill(const struct facts *before, const struct facts *after, struct pager *p);

/* A step of a job's way: "report", "signed report came". */
const char *scr_step_name(enum step s);
const char *scr_step_means(enum step s);

/* How a state looks: word, symbol, role. Simulated: never green. */
struct scr_state {
    const char *word, *symbol;
    enum role role;
};
struct scr_state scr_check(enum check_state s, bool simulated);
struct scr_state scr_proof(enum proof_state s);

/* A provider's key in five cells, and the role that is always the same for it. */
struct scr_key {
    char text[8]; /* "&9f3c": a mark, and the first digits */
    enum role role;
};
struct scr_key scr_key(const uint8_t key[static 32]);
/* Is there something about the names of this offer; what. */
bool scr_doubtful(const struct shelf_row *r);
void scr_doubt(const struct shelf_row *r, char *out, size_t n);

void scr_age(int64_t seconds, char out[static 16]); /* "12 s", "3 m", "2 h", "9 d" */
void scr_elapsed(int64_t ms, char out[static 16]);  /* "0.4 s", "12.3 s", "2 m 05 s" */
void scr_bytes(uint64_t n, char out[static 16]);    /* "310 KB", "2.1 MB" */
void scr_clock(int64_t unix_s, bool seconds, char out[static 16]); /* "12:05", "12:05:10" */

#endif
