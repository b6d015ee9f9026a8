/* The questions: what is asked before anything is started, accepted, sent or ended, and what a yes
 * then does. */
#include "tui/app.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/enc.h"
#include "core/hash.h"
#include "core/nip19.h"
#include "tui/path.h"

bool app_may_send(const struct app *a, const char **why) {
    static const char *const WHY[] = {
        [SESSION_REQUESTED] = "not sent: the provider has not answered, there is no guest",
        [SESSION_STARTING] = "not sent: the guest is starting and has shown no report",
        [SESSION_VERIFYING] = "not sent: the guest's report is being checked",
        [SESSION_DECISION] = "not sent: the verdict needs your decision (F3, then a)",
        [SESSION_ACCEPTED] = "not sent: the guest is still loading; wait for ready",
        [SESSION_READY] = NULL,
        [SESSION_ENDING] = "not sent: the job is ending",
        [SESSION_ENDED] = "not sent: the job is over, the guest is gone",
        [SESSION_REFUSED] = "not sent: the verdict does not allow it",
        [SESSION_FAILED] = "not sent: the job has failed",
    };

    *why = a->job.exists ? WHY[a->job.state] : "not sent: there is no guest yet";
    return a->job.exists && a->job.state == SESSION_READY;
}

int app_open_offer(struct app *a, const struct shelf_row *row, struct err *e) {
    const struct offer *o = a->conf.port->offer(a->conf.port_arg, row, e);
    struct event *ev = o ? event_parse(view_str(o->json), e) : NULL;
    struct offer *copy = ev ? offer_parse(ev, e) : NULL;

    event_free(ev);
    if (!copy)
        return -1;
    offer_free(a->offer);
    a->offer = copy;
    pager_clear(a->offer_page);
    return 0;
}

/* --- start --- */

void app_ask_start(struct app *a) {
    struct prompt *p = &a->prompt;
    char key[20], price[48];

    if (!a->offer)
        return;
    if (app_job_alive(a)) {
        app_say(a, ROLE_WARN, "a guest is alive: end that job first (screen 2, then x)");
        return;
    }
    npub_short(a->offer->pubkey, key);
    shelf_price(a->offer, price, sizeof price);
    prompt_ask(p, THEN_START, "Start a guest?", NULL);
    buf_fmt(&p->body, "%s (%s) starts a machine for this one job. Price: %s.\n",
            a->offer->provider_name, key, price);
    buf_str(&p->body, "No data is sent yet: the machine first has to prove what it is.");
    if (offer_simulated(a->offer))
        buf_str(&p->body, "\nIt is SIMULATED: nothing about it will be secret.");
}

static void start(struct app *a) {
    struct err e;

    if (a->conf.port->start(a->conf.port_arg, a->offer, &e) != 0)
        app_say(a, ROLE_BAD, "%s", e.text);
}

/* --- accept --- */

static const char *accept_refusal(const struct app *a) {
    const struct app_job *j = &a->job;

    if (!j->has_verdict)
        return "there is no verdict yet";
    if (j->state == SESSION_ACCEPTED || j->state == SESSION_READY)
        return "this guest is accepted already";
    if (j->state != SESSION_DECISION)
        return "there is nothing to decide";
    for (size_t i = 0; i < j->verdict.n_open; i++)
        if (j->verdict.open[i]->state != CHECK_WARN)
            return "what failed, or was not checked though required, cannot be accepted";
    return NULL;
}

void app_ask_accept(struct app *a) {
    const struct app_verdict *v = &a->job.verdict;
    const char *refusal = accept_refusal(a);
    struct prompt *p = &a->prompt;

    if (refusal) {
        app_say(a, ROLE_WARN, "%s", refusal);
        return;
    }
    prompt_ask(p, THEN_ACCEPT, v->simulated ? "Accept a SIMULATED guest?" : "Accept warnings?",
               v->simulated ? "simulated" : "accept");
    if (v->simulated)
        buf_str(&p->body, "No hardware protects this guest: its owner can read all you send.\n");
    for (size_t i = 0; i < v->n_open; i++)
        buf_fmt(&p->body, "WARN %s: %s\n", v->open[i]->id, v->open[i]->why);
    buf_fmt(&p->body, "For this job only. Type %s and press Enter.", p->word);
}

static int confirm_all(struct app *a, struct err *e) {
    const struct app_verdict v = a->job.verdict;

    for (size_t i = 0; i < v.n_open; i++)
        if (a->conf.port->confirm(a->conf.port_arg, v.open[i]->id, e) != 0)
            return -1;
    return 0;
}

static void accept_guest(struct app *a) {
    bool simulated = a->job.verdict.simulated;
    struct err e;

    if (confirm_all(a, &e) != 0 || a->conf.port->accept(a->conf.port_arg, simulated, &e) != 0)
        app_say(a, ROLE_BAD, "%s", e.text);
    else
        app_say(a, ROLE_TEXT, "accepted; the guest loads workload and model");
}

/* --- attach: the guard --- */

static int file_look(const char *path, uint64_t *size, uint8_t sha[static 32], struct err *e) {
    struct stat st;

    if (stat(path, &st) != 0)
        return err_set(e, "no-file", "there is no file %s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, "no-file", "%s is not a file", path);
    if ((uint64_t)st.st_size > XFER_FILE_MAX)
        return err_set(e, "too-large", "%s is larger than %u MiB", path,
                       (unsigned)(XFER_FILE_MAX >> 20));
    *size = (uint64_t)st.st_size;
    return sha256_file(path, sha, e);
}

static void guard_words(struct app *a, const char *path, uint64_t size, const char *sha,
                        const char *server) {
    struct prompt *p = &a->prompt;
    char guest[20];

    npub_short(a->job.verdict.guest, guest);
    prompt_ask(p, THEN_ATTACH, "Send this file?", NULL);
    buf_fmt(&p->body, "%s, %" PRIu64 " bytes\nsha256 %s\n", path, size, sha);
    buf_fmt(&p->body, "to guest %s, verdict %s%s\n", guest, check_state_name(a->job.verdict.state),
            a->job.simulated ? ", SIMULATED" : "");
    if (server)
        buf_fmt(&p->body, "encrypted, through %s", server);
    else
        buf_str(&p->body, "encrypted, inside the conversation");
}

void app_ask_attach(struct app *a, const char *path) {
    const char *why, *server = NULL;
    uint8_t sha[32];
    char hex[65];
    uint64_t size;
    struct err e;

    if (!app_may_send(a, &why))
        app_say(a, ROLE_WARN, "%s", why);
    else if (strlen(path) >= sizeof a->attach)
        app_say(a, ROLE_WARN, "the path is too long");
    else if (file_look(path, &size, sha, &e) != 0 ||
             a->conf.port->route(a->conf.port_arg, size, &server, &e) != 0)
        app_say(a, ROLE_BAD, "%s", e.text);
    else {
        snprintf(a->attach, sizeof a->attach, "%s", path);
        memcpy(a->attach_sha, sha, 32);
        hex_encode(view_of(sha, 32), hex);
        guard_words(a, path, size, hex, server);
    }
}

/* The file may have changed between the question and the answer: then it is asked again. */
static void attach(struct app *a) {
    uint8_t sha[32], xid[16];
    uint64_t size;
    struct err e;

    if (file_look(a->attach, &size, sha, &e) != 0)
        app_say(a, ROLE_BAD, "%s", e.text);
    else if (memcmp(sha, a->attach_sha, 32) != 0)
        app_say(a, ROLE_BAD, "the file changed while you were asked: not sent");
    else if (a->conf.port->attach(a->conf.port_arg, a->attach, path_mime(a->attach), xid, &e) != 0)
        app_say(a, ROLE_BAD, "%s", e.text);
    else
        app_note(a, ROLE_DIM, "Sending %s, %" PRIu64 " bytes.", a->attach, size);
}

/* --- end, quit --- */

void app_ask_end(struct app *a) {
    struct prompt *p = &a->prompt;

    if (!app_job_alive(a)) {
        app_say(a, ROLE_WARN, "there is no guest to destroy");
        return;
    }
    prompt_ask(p, THEN_END, "End the job?", NULL);
    buf_str(&p->body, "The guest signs a receipt, wipes its memory and powers off. It cannot be "
                      "brought back.");
}

void app_ask_quit(struct app *a) {
    struct prompt *p = &a->prompt;

    prompt_ask(p, THEN_QUIT, "Leave?", NULL);
    buf_str(&p->body,
            "A guest is alive. Leaving ends its job: it wipes its memory and powers off.");
}

static void end_job(struct app *a) {
    if (a->job.state == SESSION_DECISION)
        a->conf.port->refuse(a->conf.port_arg);
    else
        a->conf.port->end(a->conf.port_arg);
}

void app_answered(struct app *a, bool yes) {
    enum prompt_then then = a->prompt.then;

    if (!yes) {
        prompt_close(&a->prompt);
        return;
    }
    if (!prompt_answer(&a->prompt)) {
        app_say(a, ROLE_WARN, "that is not the word: nothing was done");
        return;
    }
    switch (then) {
    case THEN_NOTHING:
        return;
    case THEN_START:
        start(a);
        return;
    case THEN_ACCEPT:
        accept_guest(a);
        return;
    case THEN_ATTACH:
        attach(a);
        return;
    case THEN_END:
        end_job(a);
        return;
    case THEN_QUIT:
        a->conf.port->quit(a->conf.port_arg, false);
        return;
    }
}

/* --- answers, bundles and files to disk --- */

void app_stop_answer(struct app *a) {
    const struct app_turn *t = app_answering(a);
    struct err e;

    if (!t)
        app_say(a, ROLE_DIM, "no answer is being given");
    else if (a->conf.port->cancel(a->conf.port_arg, t->id, &e) != 0)
        app_say(a, ROLE_BAD, "%s", e.text);
    else
        app_say(a, ROLE_DIM, "asked the guest to stop");
}

void app_save_bundle(struct app *a, const char *path) {
    struct app_job *j = &a->job;
    cleanup_free char *usual = NULL;
    char id[17];
    struct err e;

    if (!j->has_verdict) {
        app_say(a, ROLE_WARN, "there is no evidence to save yet");
        return;
    }
    hex_encode(view_of(j->id, 8), id);
    usual = mem_fmt("%s/%s.json", a->conf.bundles, id);
    if (!path || !*path)
        path = usual;
    if (a->conf.port->save(a->conf.port_arg, path, &e) != 0) {
        app_say(a, ROLE_BAD, "%s", e.text);
        return;
    }
    free(j->bundle);
    j->bundle = path_shown(path);
    app_say(a, ROLE_TEXT, "saved %s; `cdvm verify` checks it offline", j->bundle);
}

/* name, name-2, name-3 ... before the extension. */
static char *numbered(const char *path, unsigned n) {
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');

    if (n < 2)
        return mem_str(path);
    if (!dot || dot == path || (slash && dot <= slash + 1))
        return mem_fmt("%s-%u", path, n);
    return mem_fmt("%.*s-%u%s", (int)(dot - path), path, n, dot);
}

static char *save_as(const char *path, struct view data, struct err *e) {
    struct stat st;

    for (unsigned n = 1; n < 1000; n++) {
        char *to = numbered(path, n);

        if (lstat(to, &st) != 0) { /* and O_EXCL, should somebody be faster */
            if (file_write(to, data, 0600, false, e) == 0)
                return to;
            free(to);
            return NULL;
        }
        free(to);
    }
    err_set(e, "exists", "%s and a thousand names like it exist", path);
    return NULL;
}

void app_save_file(struct app *a, const char *word, const char *to) {
    struct app_file *f = app_file_named(a, word);
    cleanup_free char *path = NULL, *saved = NULL;
    struct stat st;
    struct err e;

    if (!f || f->state != FILE_WHOLE) {
        app_say(a, ROLE_WARN, f ? "that file is not whole yet" : "no such file came; /get 1");
        return;
    }
    if (to && *to && !(stat(to, &st) == 0 && S_ISDIR(st.st_mode)))
        path = mem_str(to);
    else
        path = mem_fmt("%s/%s", to && *to ? to : a->conf.folder, f->name);
    saved = save_as(path, buf_view(&f->data), &e);
    if (!saved) {
        app_say(a, ROLE_BAD, "%s", e.text);
        return;
    }
    free(f->saved);
    f->saved = path_shown(saved);
    app_note(a, ROLE_TITLE, "Saved %s, sha256 ok.", f->saved);
}
