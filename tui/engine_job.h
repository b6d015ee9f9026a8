/* The functions of app_port that name a job, each handed to that job's session. `arg` is the
 * engine. A job that is not there is "no-job", or nothing happens. */
#ifndef CDVM_ENGINE_JOB_H
#define CDVM_ENGINE_JOB_H

#include "tui/session.h"

/* engine.c: the session of a job; NULL with e when there is none. */
struct session *engine_session(const void *engine, unsigned job, struct err *e);

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

#endif
