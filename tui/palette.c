#include "tui/palette.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TYPED_MAX 1024

void palette_open(struct palette *p) {
    palette_close(p);
    p->open = true;
    p->edit = edit_new(TYPED_MAX, false);
}

void palette_close(struct palette *p) {
    edit_free(p->edit);
    free(p->typed);
    memset(p, 0, sizeof *p);
}

/* --- what is in it --- */

/* Moving about and writing are done by hand. */
static bool by_hand(enum action act) {
    static const enum action BY_HAND[] = {
        ACT_UP,    ACT_DOWN, ACT_PAGE_UP, ACT_PAGE_DOWN, ACT_TOP, ACT_BOTTOM, ACT_LEFT,
        ACT_RIGHT, ACT_SEND, ACT_NEWLINE, ACT_COMPLETE,  ACT_YES, ACT_NO,     ACT_PALETTE,
    };

    for (size_t i = 0; i < COUNT(BY_HAND); i++)
        if (BY_HAND[i] == act)
            return true;
    return act >= ACT_EDIT_FIRST;
}

/* The screens that a key of their own opens: what is done there can be done from anywhere. */
static const struct {
    enum scr screen;
    enum action go;
} REACHED[] = {
    {SCR_OFFERS, ACT_GO_OFFERS},     {SCR_JOBS, ACT_GO_JOBS},   {SCR_ATTEST, ACT_GO_ATTEST},
    {SCR_CHAT, ACT_GO_CHAT},         {SCR_FILES, ACT_GO_FILES}, {SCR_SETTINGS, ACT_GO_SETTINGS},
    {SCR_RECEIPTS, ACT_GO_RECEIPTS},
};

enum action palette_way(enum scr to) {
    for (size_t i = 0; i < COUNT(REACHED); i++)
        if (REACHED[i].screen == to)
            return REACHED[i].go;
    return ACT_NONE;
}

static bool has_action(const struct palette *p, enum action act) {
    for (size_t i = 0; i < p->list.n; i++)
        if (p->row[i].key && p->row[i].key->action == act)
            return true;
    return false;
}

/* Every word occurs, whatever its case. */
static bool fits(const char *text, const char *words) {
    char word[64];

    while (*(words += strspn(words, " "))) {
        size_t n = strcspn(words, " ");

        snprintf(word, sizeof word, "%.*s", (int)n, words);
        if (!strcasestr(text, word))
            return false;
        words += n;
    }
    return true;
}

/* "attach a.csv", "/attach a.csv": the name of the command, and more behind it. */
static bool names(const char *typed, const struct cmd *c) {
    size_t n = strlen(c->name);

    typed += *typed == '/';
    return !strncmp(typed, c->name, n) && typed[n] == ' ';
}

/* A slash says that a command is meant. */
static bool begins(const char *typed, const struct cmd *c) {
    return *typed == '/' && !strncmp(c->name, typed + 1, strlen(typed + 1));
}

static void add(struct palette *p, struct palette_row r, const char *typed) {
    char name[64], text[256];
    bool wanted;

    palette_name(&r, name);
    snprintf(text, sizeof text, "%s %s %s", name, r.cmd ? r.cmd->help : r.key->help,
             r.cmd ? "" : keys_screen_name(r.on));
    wanted = *typed != '/' && fits(text, typed);
    wanted |= r.cmd && (names(typed, r.cmd) || begins(typed, r.cmd));
    if (wanted && p->list.n < PALETTE_ROWS)
        p->row[p->list.n++] = r;
}

static void add_keys(struct palette *p, enum scr on, const char *typed) {
    const struct key_row *row;
    size_t n;

    row = keys_table(&n);
    for (size_t i = 0; i < n; i++)
        if (keys_on(&row[i], on) && !by_hand(row[i].action) && !has_action(p, row[i].action))
            add(p, (struct palette_row){.key = &row[i], .on = on}, typed);
}

static void add_commands(struct palette *p, const char *typed) {
    const struct cmd *c;
    size_t n;

    c = cmd_table(&n);
    for (size_t i = 0; i < n; i++)
        add(p, (struct palette_row){.cmd = &c[i]}, typed);
}

static char *typed_text(const struct palette *p) {
    struct buf text = {0};

    edit_text(p->edit, &text);
    buf_str(&text, "");
    return buf_take(&text);
}

void palette_fill(struct palette *p, enum scr on, size_t height) {
    char *typed = typed_text(p);
    bool other = !p->typed || strcmp(p->typed, typed) != 0;

    free(p->typed);
    p->typed = typed;
    p->list.n = 0;
    add_keys(p, on, typed);
    add_commands(p, typed);
    for (size_t i = 0; i < COUNT(REACHED); i++)
        if (REACHED[i].screen != on)
            add_keys(p, REACHED[i].screen, typed);
    list_resize(&p->list, p->list.n, height);
    if (other)
        list_to(&p->list, 0);
}

const struct palette_row *palette_at(const struct palette *p) {
    return p->list.cur < p->list.n ? &p->row[p->list.cur] : NULL;
}

char *palette_argument(const struct palette *p, const struct cmd *c) {
    cleanup_free char *typed = typed_text(p);
    const char *arg = typed + (*typed == '/') + strlen(c->name);

    return mem_str(names(typed, c) ? arg + strspn(arg, " ") : "");
}

void palette_name(const struct palette_row *r, char out[static 64]) {
    char key[24];

    if (r->cmd) {
        snprintf(out, 64, "/%.20s %.40s", r->cmd->name, r->cmd->args);
        return;
    }
    keys_name(r->key->key[0], key);
    snprintf(out, 64, "%s", key);
}

bool palette_named(const struct palette *p, const struct cmd *c) {
    cleanup_free char *typed = typed_text(p);

    return *typed == '/' && names(typed, c);
}
