/* The inside of the engine, shared by engine*.c: engine_job.c the sessions, engine_start.c how one
 * begins, engine_relays.c the offers, engine_settings.c what was changed, engine_term.c keys and
 * frames, engine.c start and end. What the model may ask (struct app_port in app.h) has the names
 * of that table with engine_ before them; its `arg` is the engine. */
#ifndef CDVM_ENGINE_PRIV_H
#define CDVM_ENGINE_PRIV_H

#include "tui/app.h"
#include "tui/engine.h"
#include "tui/session.h"

/* A job that has a session. It outlives being forgotten until its last words have gone out. */
struct running {
    struct running *next;
    struct engine *engine;
    struct session *session;
    unsigned job; /* its number; 0: forgotten, no event of it is wanted */
    bool closed;
};

struct engine {
    const struct engine_conf *conf;
    struct loop *loop;
    struct ws_net *net;
    struct http *http;
    struct browse *browse; /* NULL without relays */
    struct trust trust;
    struct identities *identities;
    struct resume *resume;
    struct policy policy; /* of the next job */
    struct probes *probes;
    struct running *running;
    struct errand *errand; /* a remote signer is being asked; NULL: none is */
    struct app *app;
    struct tui *tui;         /* NULL without screens */
    struct plain_run *plain; /* then this */
    struct editor *editor;   /* the person's own, while it runs */
    struct loop_timer *tick, *leave;
    bool leaving;
    int64_t tick_at;
};

/* engine.c */
void engine_quit(void *arg, bool at_once);

/* engine_job.c */
/* Is there a place for one more? "too-many". */
int engine_room(const struct engine *g, struct err *e) WARN_UNUSED;
/* A job of this offer begins. Takes over op. */
int engine_launch(struct engine *g, const struct offer *o, struct opening *op,
                  struct err *e) WARN_UNUSED;
void engine_reap(
    struct engine *g); /* frees those that are forgotten and have said their last word */
bool engine_all_closed(const struct engine *g);
void engine_free_jobs(struct engine *g);
int engine_resume(void *arg, struct view text, struct err *e);
void engine_forget(void *arg, unsigned job);
/* Of a job that is not there: "no-job", or nothing happens. */
int engine_confirm(void *arg, unsigned job, const char *id, bool remembered, struct err *e);
int engine_accept(void *arg, unsigned job, bool simulated_ok, struct err *e);
void engine_refuse(void *arg, unsigned job);
int engine_text(void *arg, unsigned job, struct view text, uint8_t id[static 32], struct err *e);
int engine_attach(void *arg, unsigned job, const char *path, const char *mime,
                  const uint8_t sha256[static 32], uint8_t xid[static 16], struct err *e);
int engine_cancel(void *arg, unsigned job, const uint8_t id[static 32], struct err *e);
int engine_route(void *arg, unsigned job, uint64_t size, const char **server, struct err *e);
int engine_save(void *arg, unsigned job, const char *path, struct err *e);
void engine_end(void *arg, unsigned job);

/* engine_start.c */
int engine_start(void *arg, const struct offer *o, struct err *e);
int engine_meet(void *arg, const struct signer_url *at, const struct keypair *client,
                struct err *e);
void engine_unask(void *arg);

/* engine_relays.c */
/* The relays of the settings, the first time and after they were changed. */
int engine_look(struct engine *g, struct err *e) WARN_UNUSED;
void engine_tried(void *arg, const char *url, int64_t ms, const struct err *why); /* a probe_fn */
void engine_probe(void *arg, const char *relay);

/* engine_settings.c */
void engine_setting(void *arg, const char *key);

/* engine_term.c */
int engine_terminal(struct engine *g, struct err *e) WARN_UNUSED; /* begins to draw */
void engine_touch(struct engine *g);                              /* a frame is due */
void engine_clock(struct engine *g);                              /* the model's is set */
void engine_redraw(void *arg);
void engine_suspend(void *arg);
void engine_tell(void *arg, const char *words, bool away);
int engine_copy(void *arg, struct view text, struct err *e);
int engine_edit(void *arg, struct view draft, struct err *e);

#endif
