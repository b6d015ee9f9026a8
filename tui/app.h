/* The model: everything the screens show, and the only code that changes it.
 *
 *   app_on_*   something happened outside: a pure change of state
 *   app_key    somebody pressed a key: looked up in the table of keys, done by app_do
 *   app_port   what the model asks of the world: start a job, send, save, leave
 *
 * Screens read a const struct app. No curses, no sockets and no clock in here: app_clock sets the
 * time, so a recorded list of events and keys replays the program. */
#ifndef CDVM_APP_H
#define CDVM_APP_H

#include "tui/exhibit.h"
#include "tui/first.h"
#include "tui/identity.h"
#include "tui/keys.h"
#include "tui/known.h"
#include "tui/model.h"
#include "tui/options.h"
#include "tui/pace.h"
#include "tui/pager.h"
#include "tui/prompt.h"
#include "tui/receipts.h"
#include "tui/session.h"
#include "tui/shelf.h"
#include "tui/sources.h"
#include "tui/table.h"
#include "tui/tree.h"

#define APP_JOBS 8 /* held at once; one that ended makes room for the next */
#define APP_FILES 32
#define APP_TURNS 8
#define APP_KEPT 64
#define APP_OPEN 32
#define APP_ATTACH 8 /* files asked about at once */
#define APP_TABLES 8
#define CHAT_ENTRIES 200000
#define DRAFT_MAX ((size_t)1 << 20)
#define PATH_MAX_APP 1024
#define APP_TWO_COLUMNS 96 /* from this width on the settings stand in two */

/* The way of a job, in order. */
enum step {
    STEP_REQUEST,
    STEP_QUEUED,
    STEP_CREATING,
    STEP_BOOTING,
    STEP_ATTESTING,
    STEP_HELLO,
    STEP_VERDICT,
    STEP_ACCEPT,
    STEP_READY,
    STEP_END,
    STEP_WIPING,
    STEP_RECEIPT,
    STEP_GONE,
    STEP_COUNT,
};
struct app_step {
    int64_t claimed, seen; /* loop_now; 0 = not yet. Provider's word, and what we saw ourselves */
};

struct app_verdict {
    const struct check *top; /* borrowed from the session's verdict */
    enum check_state state;
    bool simulated, allows, has_guest;
    uint8_t guest[32];
    char policy[32], product[16];
    int64_t as_of;                      /* Unix seconds */
    uint64_t took_us;                   /* to come to it, on this machine */
    const struct check *open[APP_OPEN]; /* what is not PASS and counts */
    size_t n_open;
    const struct facts *facts; /* what it comes down to; borrowed for the call of app_on_verdict */
    struct exhibit *exhibit;   /* the bytes behind it; app_on_verdict takes it over */
};

struct app_turn { /* one question and its answer */
    uint8_t id[32];
    struct buf question;
    size_t said, entry;    /* of the pager: the question, and the answer; 0 = nothing came yet */
    bool open, acked;      /* acked: the guest has it */
    int64_t asked, first;  /* loop_now; first: of the first words, 0 = none yet */
    uint64_t shown, words; /* of what streamed: bytes, and words */
    bool in_word;
    struct buf held;        /* streamed, and not shown before it is sure to be no half address */
    struct sources sources; /* shown under the answer once that is whole */
};

struct app_table { /* of an answer */
    struct table *table;
    uint64_t total;  /* rows that there are; the table has the first ones */
    uint8_t xid[16]; /* of the file with all of them; zero: none */
    struct list rows;
    size_t column, left; /* under the cursor; first in sight */
    size_t sorted;
    enum table_order order;
};

struct app_attach { /* a file of ours that may be sent */
    char path[PATH_MAX_APP];
    uint8_t sha[32];
    uint64_t size;
};

/* What the page beside a tree shows. */
enum proof_page {
    PROOF_EVIDENCE, /* the line under the cursor in full, then all the bytes */
    PROOF_CHANGES,  /* what differs from the last accepted verdict; of a receipt, from then */
    PROOF_DIFF,     /* two receipts beside each other */
};

/* A saved bundle that was verified anew. */
struct app_receipt {
    char *name; /* of its file */
    struct bundle bundle;
    struct verdict *now, *then; /* then: as of its acceptance; NULL without one */
    struct tree *tree[2];       /* of now, of then */
    struct facts facts[2];
    struct exhibit *exhibit;
    bool of_then; /* which of the two is looked at */
};

/* The verdict in front of the person, wherever it is from. Borrowed. */
struct app_look {
    struct tree *tree; /* NULL: there is none */
    const struct exhibit *exhibit;
    const struct facts *before, *after;
    bool simulated;
    const char *policy, *provider_name;
    const uint8_t *job, *provider;
    int64_t as_of;
};

enum file_state { FILE_MOVING, FILE_WHOLE, FILE_BROKEN };
struct app_file {
    bool up;
    enum file_state state;
    uint8_t xid[16], sha256[32];
    char name[201];
    char *path; /* of ours: where it lies on this machine */
    uint64_t size, done;
    struct pace pace;
    int64_t began, moved; /* loop_now */
    struct buf data;      /* of one that came in, until the job is forgotten */
    char *saved;          /* path, when it was */
    char why[160];
};

struct app_kept {     /* something of a job that this program wrote to disk for good */
    const char *what; /* a word of ours: "file", "evidence" */
    char *path;
};

struct app_job {
    bool exists;
    unsigned
        number;    /* its handle in events and in what is asked of the world; from 1, never again */
    size_t unread; /* what came while another job was looked at */
    struct edit *input; /* what is being written to its guest */
    bool simulated;     /* the offer says so, or the verdict found it */
    enum session_state state;
    uint8_t id[32], provider[32];
    char provider_name[64], what[160], price[32], workload[64];
    struct model model;
    int64_t began, ended; /* loop_now */
    int64_t began_unix;
    struct app_step step[STEP_COUNT];
    char claim[256]; /* the provider's newest words */
    bool has_verdict;
    struct app_verdict verdict;
    struct tree *tree;
    struct exhibit *exhibit; /* NULL without a verdict */
    struct facts *facts;     /* what the verdict comes down to; NULL without one */
    struct facts *before; /* the same of the last accepted one here; NULL: met for the first time */
    struct pager *chat;
    int day;                         /* of its last line */
    struct app_turn turn[APP_TURNS]; /* newest last */
    size_t n_turns;
    char progress[240]; /* "" when nothing goes on */
    struct pace pace;
    uint8_t source_of[32]; /* the question whose passage is on the page */
    size_t source;         /* which one, from 0 */
    char source_note[160]; /* why the document is not there, or "" */
    struct pager *source_page;
    struct app_file file[APP_FILES];
    size_t n_files;
    struct app_table table[APP_TABLES]; /* newest last */
    size_t n_tables, table_at;          /* the one on the screen */
    uint64_t minutes, price_msat;       /* of the lease; of a job or a minute */
    bool per_minute;
    int64_t patience, decide_by; /* of a guest that waits for the decision: ms; loop_now, 0 none */
    bool has_receipt, has_teardown;
    struct receipt receipt;
    int uncovered;
    char receipt_note[256];
    struct teardown teardown;
    struct proven_job remembered; /* its line of the history; proof.when 0: none yet */
    char why_code[32], why[480];
    char *bundle;        /* where it was saved last */
    bool bundle_receipt; /* with the receipt */
    struct app_kept kept[APP_KEPT];
    size_t n_kept; /* of all that were saved; the first APP_KEPT have a row */
};

/* What the model asks of the world. Every function but pinned may call app_on_* before it returns;
 * start calls app_on_started. A job is named by its number. */
struct app_port {
    /* Has the person pinned this manifest? */
    bool (*pinned)(void *arg, const uint8_t digest[static 32]);
    int (*start)(void *arg, const struct offer *o, struct err *e);
    /* Picks up a job that was left; text: what resume_read gave. Calls app_on_started too. */
    int (*resume)(void *arg, struct view text, struct err *e);
    /* remembered: the word was typed in an earlier job, for the same value */
    int (*confirm)(void *arg, unsigned job, const char *check_id, bool remembered, struct err *e);
    int (*accept)(void *arg, unsigned job, bool simulated_ok, struct err *e);
    void (*refuse)(void *arg, unsigned job);
    int (*ask)(void *arg, unsigned job, struct view text, uint8_t id[static 32], struct err *e);
    /* The bytes that hash to sha256 and no others: they are what the person agreed to. */
    int (*attach)(void *arg, unsigned job, const char *path, const char *mime,
                  const uint8_t sha256[static 32], uint8_t xid[static 16], struct err *e);
    int (*cancel)(void *arg, unsigned job, const uint8_t id[static 32], struct err *e);
    int (*route)(void *arg, unsigned job, uint64_t size, const char **server, struct err *e);
    int (*save)(void *arg, unsigned job, const char *path, struct err *e); /* the bundle */
    void (*end)(void *arg, unsigned job);
    /* A saved bundle, by the policy and the trust of this run. */
    receipts_judge *judge;
    /* Nothing in here borrows from the job's verdict any more, and no event of it is wanted. */
    void (*forget)(void *arg, unsigned job);
    void (*quit)(void *arg, bool at_once); /* at_once: do not wait for receipts and teardowns */
    /* The value of a setting was changed by the person: taken up where that is possible now. */
    void (*setting)(void *arg, const char *key);
    void (*probe)(void *arg, const char *relay); /* then app_on_tried */
    /* A remote signer, met for the first time by `client`; both are copied. Then app_on_waits, and
     * app_on_met or app_on_unsigned. start does the like where a signer is to be asked first. */
    int (*meet)(void *arg, const struct signer_url *at, const struct keypair *client,
                struct err *e);
    void (*unask)(void *arg); /* no signer is waited for any more; nothing of it follows */
    void (*redraw)(void *arg);
    void (*suspend)(void *arg);
    /* The bell and, where `away`, a notification of the desktop, as they are configured. Words of
     * our own. */
    void (*tell)(void *arg, const char *words, bool away);
    /* A new file that only its owner can read; never over one that exists. */
    int (*write)(void *arg, const char *path, struct view data, struct err *e);
    /* To the terminal's clipboard; sanitised there. "too-large". */
    int (*copy)(void *arg, struct view text, struct err *e);
    /* The draft in the person's editor; app_on_edited follows, now or later. */
    int (*edit)(void *arg, struct view draft, struct err *e);
};

struct app_conf {
    const struct app_port *port;
    void *port_arg;
    const char *policy;             /* name of the profile */
    bool policy_given;              /* on the command line of this run */
    const struct policy *rules;     /* borrowed; NULL: those of the profile */
    bool simulated;                 /* --policy demo: simulated offers are shown */
    bool ascii;                     /* for text that is laid out here */
    struct identities *identities;  /* borrowed; NULL: none are kept */
    struct resume *resume;          /* borrowed; NULL: no job outlives this program */
    bool blur;                      /* nothing is shown while the person is elsewhere */
    const char *proven;             /* path of what was verified before; NULL: not kept */
    int64_t unix_now;               /* when the program began */
    const char *known;              /* path of what the last verdicts said; NULL: not kept */
    unsigned history_days;          /* how long that is kept; 0: not at all */
    const char *marks;              /* path of favourites and muted sellers; NULL: not kept */
    const char *folder;             /* where files from guests are saved */
    const char *bundles;            /* folder for saved bundles */
    size_t relays;                  /* configured */
    struct settings *set;           /* borrowed; the screen of settings changes it */
    const char *config;             /* cdvm.conf */
    const char *state;              /* folder of what is remembered, as it is shown */
    const struct job_param *params; /* of every job, as options gave them; copied */
    size_t n_params;
};

/* What is being asked about an identity, over several questions. */
struct app_identity {
    char name[IDENTITY_NAME];
    bool choose;                 /* once it is unlocked */
    bool remote;                 /* its key is with a signer */
    struct hidden *text, *first; /* what is imported, or the signer's address; the passphrase as it
                                    was typed first */
    struct newcomer *newcomer;   /* its signer is being met */
};

struct app {
    struct app_conf conf; /* strings owned */
    int rows, cols;
    int64_t now, unix_now; /* milliseconds of loop_now; wall clock seconds */
    size_t relays_up;
    bool settled; /* every relay that answers has sent what it has */
    enum scr screen, came_from;
    bool help;
    struct pager *help_page, *offer_page, *end_page, *proof_page;
    enum proof_page proof; /* what is on proof_page */
    enum scr proof_from;   /* where it was opened */
    struct prompt prompt;
    struct app_identity identity;
    struct pager *cell_page;
    enum { FIND_OFF, FIND_TYPING, FIND_KEPT } finding;
    struct edit *find;
    size_t found; /* places in the chat */
    struct list files;
    struct {
        bool talk; /* the conversation, else the file */
        uint8_t xid[16];
    } saving;         /* what is asked about */
    unsigned editing; /* the job whose draft is with an editor; 0: none */
    bool ctrl_x;      /* the first key of two was pressed */
    bool filtering;
    struct edit *filter;
    enum shelf_sort sort;
    struct shelf *shelf;
    struct proven *proven;
    struct known *known;
    struct receipts *receipts;
    struct list receipt_list;
    struct app_receipt *receipt, *other; /* on the screen; beside it; NULL: none */
    char *marked;                        /* file to compare with; NULL: none */
    char *deleting;                      /* file that is asked about */
    struct marks *marks;
    struct list offers;
    bool show_muted;
    bool shelf_changed;  /* the person asked for another list: at once */
    bool shelf_news;     /* the world has changed: soon */
    int64_t viewed_at;   /* loop_now of the list that is shown */
    struct offer *offer; /* the one in detail; owned */
    bool raw;
    struct app_job *jobs[APP_JOBS]; /* oldest first */
    size_t n_jobs;
    unsigned last_job;    /* number of the newest */
    struct app_job *none; /* an empty one, on the screens while there is no other */
    struct app_job *job;  /* the one on the screens: one of jobs, or none; never NULL */
    struct list job_list; /* the cursor is on that job */
    struct edit *input;   /* of that job */
    struct app_attach attach[APP_ATTACH]; /* asked about, not sent yet */
    size_t n_attach;
    struct job_param params[JOB_PARAMS_MAX]; /* of the next job */
    size_t n_params;
    struct palette *palette;
    struct first first;
    char terminal[64];              /* what it can do, in words */
    struct options *options;        /* the screen of settings */
    const struct conf_key *setting; /* whose value is being typed */
    char status[256];
    enum role status_role;
    int64_t panic_at, interrupt_at; /* the first of two presses */
    bool away;                      /* the window has lost the focus */
    bool tells_focus;               /* the terminal has said so, or the contrary */
    bool gone;                      /* panic: nothing is shown any more */
};

struct app *app_new(const struct app_conf *c);
void app_free(struct app *a); /* wipes; NULL legal */

/* Time and size come first: nothing else in here looks at a clock or a terminal. */
void app_clock(struct app *a, int64_t loop_ms, int64_t unix_s);
void app_resize(struct app *a, int rows, int cols);
void app_prepare(struct app *a); /* before drawing: lists, pages and positions brought up to date */

/* --- events --- */
void app_on_relays(struct app *a, size_t up);
void app_on_focus(struct app *a, bool here); /* of the terminal's window, if it tells */
void app_on_settled(struct app *a);
void app_on_offer(struct app *a, const struct offer *o, const struct event *ev, const char *relay);
void app_on_offer_again(struct app *a, const uint8_t id[static 32], const char *relay);
void app_on_beat(struct app *a, const struct heartbeat *h);
/* Returns the number by which events name the job from now on. */
unsigned app_on_started(struct app *a, const struct offer *o, const uint8_t id[static 32]);
void app_on_verdict(struct app *a, unsigned job, const struct app_verdict *v);
void app_on_option_relays(struct app *a, const struct option_relay *r, size_t n);
void app_on_option_policy(struct app *a, const struct option_policy *p);
void app_on_display(struct app *a, bool ascii, bool blur);
void app_on_terminal(struct app *a, const char *words); /* "256 colours, bracketed paste" */
void app_on_folder(struct app *a, const char *folder);  /* where files from guests are saved */
void app_on_tried(struct app *a, const char *relay, int64_t ms, const char *why); /* ms, or why */
/* Every event but SE_VERDICT, which the owner turns into app_on_verdict. */
void app_on_session(struct app *a, unsigned job, const struct session_event *ev);
/* A remote signer is waited for until then (loop_now), before a job starts or an identity is there.
 * visit: where it wants its person to say yes, sanitised; NULL: nowhere yet. */
void app_on_waits(struct app *a, int64_t until, const char *visit);
void app_on_met(struct app *a, const uint8_t user[static 32]); /* what it signs with */
void app_on_signed(struct app *a); /* no longer: the job begins, or the program leaves */
void app_on_unsigned(struct app *a, const struct err *why); /* nothing was sent */
/* The editor has ended: the draft anew, or e and the old one stands. */
void app_on_edited(struct app *a, struct view text, const struct err *e);

/* --- keys --- */
enum scr app_focus(const struct app *a); /* where keys go */
void app_key(struct app *a, uint32_t key);
void app_paste(struct app *a, struct view text, bool cut);
void app_do(struct app *a, enum action act);

/* --- asked by screens and commands --- */
bool app_job_alive(const struct app_job *j); /* a guest may exist */
bool app_simulated(const struct app *a);     /* the banner is due */
/* True when something typed may go to the guest; otherwise *why gets the sentence for it. */
bool app_may_send(const struct app *a, const char **why);
const struct app_turn *app_answering(const struct app *a);        /* newest open turn, or NULL */
struct app_file *app_file_named(struct app *a, const char *word); /* "1", or a name; came in */

/* --- for cmd.c and app_*.c --- */
void app_say(struct app *a, enum role r, const char *fmt, ...) PRINTF_LIKE(3, 4); /* status line */
/* A line in the chat of the job on the screens. */
void app_note(struct app *a, enum role r, const char *fmt, ...) PRINTF_LIKE(3, 4);
void app_chat(struct app *a, const char *who, enum role r, bool fixed, struct view text);
void app_go(struct app *a, enum scr s);
void app_ask_start(struct app *a);
void app_ask_accept(struct app *a);
void app_ask_attach(struct app *a, const char *const *path, size_t n);
void app_ask_param(struct app *a);
/* An upload of this job whose bytes lie at `path`. */
void app_file_path(struct app *a, struct app_job *j, const struct xfer_meta *m, const char *path);
void app_ask_end(struct app *a);
void app_ask_forget(struct app *a);
void app_ask_quit(struct app *a);
void app_answered(struct app *a, bool yes);
void app_save_ended(struct app *a, struct app_job *j);  /* if settings say so */
void app_save_bundle(struct app *a, const char *path);  /* NULL: the usual place */
void app_type_command(struct app *a, const char *text); /* into the chat's input */
void app_edit_outside(struct app *a);                   /* the draft, in the person's editor */

/* --- app_talk.c: questions and answers --- */
bool app_send(struct app *a, struct view text); /* false: it may not go, and the status says why */
void app_resend(struct app *a, size_t n);       /* the nth newest question, from 1 */
void app_edit_again(struct app *a, size_t n);   /* the same, as the draft */
void app_stop_answer(struct app *a);
struct app_turn *app_turn_of(struct app_job *j, const uint8_t *id); /* NULL: none of ours */
void app_turn_free(struct app_turn *t);                             /* wipes; not the struct */
void app_on_sent(struct app *a, struct app_job *j, const struct session_event *ev);
void app_on_delta(struct app *a, struct app_job *j, const struct session_event *ev);
void app_on_answer(struct app *a, struct app_job *j, const struct session_event *ev);
void app_on_progress(struct app *a, struct app_job *j, const struct session_event *ev);
void app_talk_over(struct app_job *j); /* no answer will come any more */

/* --- app_find.c: the search line of the chat --- */
void app_find_open(struct app *a);
void app_find_typed(struct app *a); /* its words have changed */
void app_find_older(struct app *a);
void app_find_newer(struct app *a);
void app_find_keep(struct app *a);
void app_find_end(struct app *a);

/* --- app_files.c, app_attach.c, app_save.c --- */
void app_on_file_moved(struct app *a, struct app_job *j, const struct session_event *ev, bool up);
void app_on_file(struct app *a, struct app_job *j, const struct session_event *ev);
void app_on_file_failed(struct app *a, struct app_job *j, const struct session_event *ev);
bool app_file_sent(struct app *a, struct app_job *j,
                   const uint8_t *xid); /* false: no file of ours */
struct app_file *app_file_xid(struct app_job *j, const uint8_t xid[static 16]);
struct app_file *app_file_at(const struct app *a); /* under the cursor; NULL: none */
size_t app_file_number(const struct app_job *j, const struct app_file *f); /* of those that came */
void app_file_attach(struct app *a);
void app_file_get(struct app *a);
void app_attach(struct app *a); /* what was asked about, after the yes */
/* to: a path, a folder, or NULL for the usual one. Asks unless `to` is a path that is free. */
void app_save_file(struct app *a, const struct app_file *f, const char *to);
void app_save_talk(struct app *a, const char *to);
void app_save_named(struct app *a, struct view typed); /* the answer to that question */

/* --- app_tables.c --- */
void app_on_table(struct app *a, struct app_job *j, const cJSON *o);
void app_table_free(struct app_table *t);
struct app_table *app_table(const struct app *a);  /* the one on the screen; NULL: none */
void app_table_open(struct app *a, size_t number); /* from 1, oldest first */
void app_table_step(struct app *a, int by);
void app_table_column(struct app *a, int by);
void app_table_sort(struct app *a);
void app_table_save(struct app *a);
void app_table_show_cell(struct app *a);
const char *app_table_cell(const struct app *a); /* in full; sanitised */
void app_table_fit(struct app_table *t, int width, int height);

/* --- app_copy.c: to the clipboard --- */
void app_copy(struct app *a); /* what this screen is about */
void app_copy_named(struct app *a, const char *word);

/* --- app_attest.c: the verdict on the screens, its decision, what is remembered of it --- */
void app_attest_accepted(struct app *a, struct app_job *j); /* becomes the last one met */
struct app_look app_look(const struct app *a);
/* The line's value, or state, is not what the last accepted verdict said. */
bool app_check_changed(const struct app_job *j, const struct check *c);
/* Its acceptance was remembered: when, Unix seconds; 0 when not. */
int64_t app_check_accepted(const struct app *a, const struct app_job *j, const struct check *c);
void app_accept(struct app *a, bool remember); /* the word was typed */
void app_evidence(struct app *a);
void app_changes(struct app *a);
void app_forget_accepted(struct app *a);
void app_proof_open(struct app *a, enum proof_page what);
void app_tree_do(struct app *a, void (*what)(struct tree *t)); /* to the tree on the screen */

/* --- app_receipts.c: saved bundles --- */
void app_receipts_open(struct app *a); /* the list, read anew */
void app_receipts_prepare(struct app *a, size_t height);
bool app_receipts_busy(const struct app *a); /* rows in sight wait to be looked into */
void app_receipt_verify(struct app *a);      /* the one under the cursor, anew */
void app_receipt_mark(struct app *a);
void app_receipt_diff(struct app *a);
void app_receipt_turn(struct app *a); /* as of now, as of then */
void app_ask_delete(struct app *a);
void app_receipt_delete(struct app *a);
void app_receipts_free(struct app *a);

/* --- app_jobs.c: several jobs, of which one is on the screens --- */
struct app_job *app_job_of(const struct app *a, unsigned number); /* NULL: none, or forgotten */
size_t app_jobs_alive(const struct app *a);
size_t app_jobs_unread(const struct app *a); /* jobs that are not looked at and have news */
bool app_looks_at(const struct app *a, const struct app_job *j);   /* its own screens are shown */
const struct app_turn *app_job_answering(const struct app_job *j); /* newest open turn, or NULL */
/* The one that would have to go for a new job to come; NULL: there is room, or all are alive. */
struct app_job *app_jobs_oldest_ended(const struct app *a);
bool app_jobs_full(const struct app *a);    /* and all of them alive */
struct app_job *app_job_add(struct app *a); /* makes room; NULL: full. Not on the screens yet */
void app_job_show(struct app *a, struct app_job *j); /* brings it to the screens */
void app_job_keep(struct app_job *j, const char *what, const char *path); /* for the goodbye */
void app_job_open(struct app *a);                    /* the screen on which it goes on */
void app_jobs_prepare(struct app *a, size_t height); /* of the list */
void app_jobs_move(struct app *a, enum list_move m); /* in the list */
void app_jobs_step(struct app *a, int by);           /* to the next one, from any screen */
void app_jobs_next_unread(struct app *a);
void app_job_named(struct app *a, const char *word);   /* to "2", or "7f21"; "": to the list */
void app_job_forget(struct app *a, struct app_job *j); /* wiped; never of one that is alive */
void app_jobs_wipe(struct app *a);      /* all, alive or not; the world is not told */
void app_file_free(struct app_file *f); /* wipes; not the struct */
void app_job_free(struct app_job *j);   /* wipes; NULL legal */
struct app_job *app_job_new(void);
void app_job_news(const struct app *a, struct app_job *j); /* marks it, unless it is looked at */
/* Lines in the chat of any job. */
void app_job_note(struct app *a, struct app_job *j, enum role r, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
size_t app_job_chat(struct app *a, struct app_job *j, const char *who, enum role r, bool fixed,
                    struct view text); /* id of the entry; 0: there is no chat */

/* --- app_identity.c: who the person is to sellers --- */
/* Each asks what it needs (a name, a key, a passphrase, all but the name hidden) and says on the
 * status line what came of it. */
void app_identity_make(struct app *a);
void app_identity_import(struct app *a); /* nsec or ncryptsec */
void app_identity_remote(struct app *a); /* its key is, and stays, with a remote signer */
void app_identity_unlock(struct app *a, const char *name);
void app_identity_remove(struct app *a, const char *name);
/* At once: */
void app_identity_lock(struct app *a, const char *name);
/* NULL: one-time keys. One that is locked is unlocked first, so this may ask. */
void app_identity_choose(struct app *a, const char *name);
const struct identity *app_identity(const struct app *a); /* the chosen one; NULL: one-time keys */
void app_identity_line(const struct app *a, struct buf *body); /* before a job starts */
/* Answers to its questions; secret: NULL where none was asked for. Takes over secret. */
void app_identity_answered(struct app *a, enum prompt_then then, struct view typed,
                           struct hidden *secret);
void app_identity_drop(struct app *a); /* what was half asked */

/* --- app_signer.c: what waits for a remote signer --- */
/* What there is to know of the new identity was typed: its signer is met. */
void app_signer_meet(struct app *a, struct view passphrase);
bool app_signer_address_ok(const struct hidden *typed, struct err *e);
void app_signer_stop(struct app *a); /* the person waits no longer */

/* --- app_offers.c: the list of offers, and one in full --- */
void app_offers_view(struct app *a, bool now); /* makes the list anew if it is due, or now */
int64_t app_offers_due(const struct app *a);   /* loop_now when the list wants to be drawn; -1 */
const struct shelf_row *app_offer_row(const struct app *a); /* the one in detail; NULL: gone */
int app_open_offer(struct app *a, const struct shelf_row *row, struct err *e) WARN_UNUSED;
void app_offers_enter(struct app *a);
void app_offers_raw(struct app *a);
void app_offers_filter(struct app *a);
void app_offers_filter_end(struct app *a, bool keep);
void app_offers_escape(struct app *a); /* shows everything again */
void app_offers_next(struct app *a);
void app_offers_prev(struct app *a);
void app_offers_sort(struct app *a);
void app_offers_sort_back(struct app *a);
void app_offers_favourite(struct app *a);
void app_offers_mute(struct app *a);
void app_offers_muted(struct app *a); /* show what is muted, or hide it again */
void app_ask_forget_seller(struct app *a);
void app_offers_forget(struct app *a); /* after a yes */

/* --- app_history.c: what is kept of a job after it --- */
void app_remember_verdict(struct app *a, struct app_job *j, const struct app_verdict *v);
void app_remember_end(struct app *a, struct app_job *j);
/* All that is remembered of a provider: its jobs, its last verdicts, warnings accepted for later.
 */
int app_history_forget(struct app *a, const uint8_t provider[static 32], struct err *e) WARN_UNUSED;

/* --- app_resume.c: jobs that outlive a crash of this program --- */
/* At the start: jobs that were left are asked about, those whose time is over are told. */
void app_resume_look(struct app *a);
void app_resume_set(struct app *a);   /* asks for the passphrase under which jobs are kept */
void app_resume_unset(struct app *a); /* at once: nothing is kept any more */
bool app_resume_on(const struct app *a);
void app_resume_answered(struct app *a, enum prompt_then then, struct hidden *secret);
void app_resume_refused(struct app *a); /* not now: then whether it is to be forgotten is asked */

/* --- app_sources.c: passages under an answer, and one of them in its document --- */
void app_on_sources(struct app *a, struct app_job *j, const struct session_event *ev);
/* Lines in the job's chat. */
void app_sources_under(struct app *a, struct app_job *j, const struct app_turn *t);
void app_source_open(struct app *a, size_t number); /* of the newest answer that has any, from 1 */
void app_source_step(struct app *a, int by);
/* The one on the page, and how many its answer has; NULL without any. */
const struct source *app_source(const struct app *a, size_t *of);
bool app_has_sources(const struct app *a);

/* --- app_settings.c: the screen of keys and settings --- */
void app_settings_fill(struct app *a, size_t height);
void app_settings_move(struct app *a, enum list_move m);
void app_settings_side(struct app *a, bool right);
void app_settings_ask(struct app *a, const struct conf_key *key); /* for one more entry */
void app_setting_changed(struct app *a, const struct conf_key *key);
void app_settings_change(struct app *a);
void app_settings_lock(struct app *a);   /* or unlock the identity */
void app_settings_remove(struct app *a); /* the identity; asks */
void app_settings_type(struct app *a);
void app_settings_typed(struct app *a, struct view typed);
void app_settings_try(struct app *a);
void app_settings_write(struct app *a);
void app_try_relay(struct app *a, const char *url);

/* --- app_palette.c: the list of everything --- */
void app_palette_open(struct app *a);
void app_palette_fill(struct app *a);
void app_palette_run(struct app *a); /* what is under its cursor */
void app_palette_complete(struct app *a);

/* --- app_first.c: the first start --- */
void app_first_start(struct app *a);
void app_first_move(struct app *a, enum list_move m);
void app_first_fill(struct app *a, size_t height); /* keeps the cursor in sight */
void app_first_choose(struct app *a);
void app_first_try(struct app *a);
void app_first_simulator(struct app *a);
void app_first_next(struct app *a);
void app_first_back(struct app *a);
void app_first_skip(struct app *a);

#endif
