/* What a key copies to the terminal's clipboard: on each screen the one thing under the eye. */
#include "tui/app.h"

#include <stdio.h>
#include <string.h>

#include "core/enc.h"
#include "core/nip19.h"

static void copy(struct app *a, const char *what, struct view text) {
    struct err e;

    if (text.n == 0)
        app_say(a, ROLE_WARN, "there is nothing to copy here");
    else if (a->conf.port->copy(a->conf.port_arg, text, &e) != 0)
        app_say(a, ROLE_BAD, "%s", e.text);
    else
        app_say(a, ROLE_TEXT, "%s is with your terminal's clipboard, if it takes OSC 52", what);
}

static void copy_npub(struct app *a, const char *what, const uint8_t key[static 32]) {
    char npub[64];

    npub_full(key, npub);
    copy(a, what, view_str(npub));
}

static void copy_sha(struct app *a, const uint8_t sha[static 32]) {
    char hex[65];

    hex_encode(view_of(sha, 32), hex);
    copy(a, "the sha256", view_str(hex));
}

static void copy_answer(struct app *a) {
    const struct app_job *j = a->job;

    for (size_t i = j->n_turns; i-- > 0;)
        if (j->turn[i].entry) {
            copy(a, "the answer", pager_entry(j->chat, j->turn[i].entry));
            return;
        }
    app_say(a, ROLE_WARN, "there is no answer to copy yet");
}

static void copy_offer(struct app *a) {
    if (a->offer)
        copy_npub(a, "the provider's npub", a->offer->pubkey);
}

static void copy_guest(struct app *a) {
    if (a->job->has_verdict)
        copy_npub(a, "the guest's npub", a->job->verdict.guest);
    else
        app_say(a, ROLE_WARN, "no guest has shown its key yet");
}

static void copy_passage(struct app *a) {
    size_t of;
    const struct source *s = app_source(a, &of);

    copy(a, "the passage", view_str(s ? s->snippet : ""));
}

static void copy_cell(struct app *a) {
    copy(a, "the cell", view_str(app_table_cell(a)));
}

static void copy_file(struct app *a) {
    const struct app_file *f = app_file_at(a);

    if (f)
        copy_sha(a, f->sha256);
    else
        app_say(a, ROLE_WARN, "there is nothing to copy here");
}

/* What was found; where nothing was, what was asked for. */
static void copy_value(struct app *a) {
    const struct app_look l = app_look(a);
    const struct check *c = l.tree ? tree_current(l.tree) : NULL;

    copy(a, "the value", view_str(!c ? "" : *c->got ? c->got : c->expected));
}

static const struct {
    enum scr screen;
    void (*copy)(struct app *a);
} OF_SCREEN[] = {
    {SCR_OFFER, copy_offer},  {SCR_CHAT, copy_answer},   {SCR_SOURCE, copy_passage},
    {SCR_TABLE, copy_cell},   {SCR_CELL, copy_cell},     {SCR_FILES, copy_file},
    {SCR_ATTEST, copy_value}, {SCR_RECEIPT, copy_value},
};

void app_copy(struct app *a) {
    for (size_t i = 0; i < COUNT(OF_SCREEN); i++)
        if (OF_SCREEN[i].screen == a->screen) {
            OF_SCREEN[i].copy(a);
            return;
        }
}

static const struct {
    const char *word;
    void (*copy)(struct app *a);
} WORDS[] = {{"answer", copy_answer}, {"guest", copy_guest}};

void app_copy_named(struct app *a, const char *word) {
    for (size_t i = 0; i < COUNT(WORDS); i++)
        if (!strcmp(*word ? word : "answer", WORDS[i].word)) {
            WORDS[i].copy(a);
            return;
        }
    app_say(a, ROLE_WARN, "/copy answer, or /copy guest for its npub");
}
