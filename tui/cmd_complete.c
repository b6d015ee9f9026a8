/* Completion in the chat's input: of commands, and of each argument by what it is. */
#include "tui/cmd.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tui/path.h"

#define WORD_MAX 1024
#define SHOWN_MAX 6

struct matches {
    const char *start; /* what all of them begin with */
    char common[WORD_MAX], shown[200];
    size_t n;
};

static void match(struct matches *m, const char *word) {
    size_t same = 0;

    if (strncmp(word, m->start, strlen(m->start)) != 0)
        return;
    if (m->n++ == 0)
        snprintf(m->common, sizeof m->common, "%s", word);
    while (m->common[same] && m->common[same] == word[same])
        same++;
    m->common[same] = 0;
    if (m->n <= SHOWN_MAX && strlen(m->shown) + strlen(word) + 2 < sizeof m->shown)
        snprintf(m->shown + strlen(m->shown), sizeof m->shown - strlen(m->shown), "%s ", word);
}

/* --- what there is --- */

static void match_numbers(struct matches *m, size_t n) {
    for (size_t i = 1; i <= n; i++) {
        char word[24];

        snprintf(word, sizeof word, "%zu", i);
        match(m, word);
    }
}

/* A number completes to a number; without a beginning the names say more. */
static void match_files(struct matches *m, const struct app *a) {
    size_t n = 0;

    for (size_t i = 0; i < a->job->n_files; i++)
        if (!a->job->file[i].up) {
            match(m, a->job->file[i].name);
            n++;
        }
    if (*m->start)
        match_numbers(m, n);
}

static void match_sources(struct matches *m, const struct app *a) {
    size_t n = 0;

    for (size_t i = a->job->n_turns; i-- > 0 && n == 0;)
        n = a->job->turn[i].sources.n;
    match_numbers(m, n);
}

static void match_tables(struct matches *m, const struct app *a) {
    match_numbers(m, a->job->n_tables);
}

static void match_turns(struct matches *m, const struct app *a) {
    match_numbers(m, a->job->n_turns);
}

static void match_copies(struct matches *m, const struct app *a) {
    (void)a;
    match(m, "answer");
    match(m, "guest");
}

static void match_jobs(struct matches *m, const struct app *a) {
    for (size_t i = 0; i < a->n_jobs; i++) {
        char id[8];

        snprintf(id, sizeof id, "%02x%02x", a->jobs[i]->id[0], a->jobs[i]->id[1]);
        match(m, id);
    }
}

static void match_params(struct matches *m, const struct app *a) {
    for (size_t i = 0; i < a->n_params; i++)
        match(m, a->params[i].key);
}

static void match_commands(struct matches *m) {
    const struct cmd *c;
    size_t n;

    c = cmd_table(&n);
    for (size_t i = 0; i < n; i++)
        match(m, c[i].name);
}

static bool is_folder(int dir, const char *name) {
    struct stat st;

    return fstatat(dir, name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

static void match_names(struct matches *m, const char *dir) {
    DIR *d = opendir(*dir ? dir : ".");
    struct dirent *ent;

    while (d && (ent = readdir(d))) {
        char word[300];

        if (ent->d_name[0] == '.' && *m->start != '.')
            continue;
        snprintf(word, sizeof word, "%s%s", ent->d_name,
                 is_folder(dirfd(d), ent->d_name) ? "/" : "");
        match(m, word);
    }
    if (d)
        closedir(d);
}

static void (*const MATCH[])(struct matches *m, const struct app *a) = {
    [ARG_FILE] = match_files,   [ARG_SOURCE] = match_sources, [ARG_TABLE] = match_tables,
    [ARG_TURN] = match_turns,   [ARG_COPY] = match_copies,    [ARG_JOB] = match_jobs,
    [ARG_PARAM] = match_params,
};

/* --- putting it there --- */

static void put_escaped(struct buf *line, const char *word) {
    for (; *word; word++) {
        if (strchr(" '\"\\", *word))
            buf_str(line, "\\");
        buf_add(line, word, 1);
    }
}

/* keep: what stands before the word. before: the part of the word that is whole already. */
static void complete_with(struct app *a, const struct matches *m, struct view keep,
                          const char *before) {
    cleanup_buf struct buf line = {0};
    size_t n = strlen(m->common);

    if (m->n == 0) {
        app_say(a, ROLE_DIM, "nothing begins like that");
        return;
    }
    buf_add(&line, keep.p, keep.n);
    put_escaped(&line, before);
    put_escaped(&line, m->common);
    if (m->n == 1 && m->common[n - 1] != '/')
        buf_str(&line, " ");
    edit_set(a->input, buf_view(&line));
    if (m->n > 1)
        app_say(a, ROLE_DIM, "%s%s", m->shown, m->n > SHOWN_MAX ? "..." : "");
}

static void complete_path(struct app *a, struct view keep, char *word) {
    char *slash = strrchr(word, '/'), *start = slash ? slash + 1 : word;
    cleanup_free char *typed = mem_strn(word, (size_t)(start - word));
    cleanup_free char *dir = path_typed(typed);
    struct matches m = {.start = start};

    match_names(&m, dir);
    complete_with(a, &m, keep, typed);
}

static void complete_word(struct app *a, enum cmd_arg what, struct view keep, char *word) {
    struct matches m = {.start = word};

    if (what == ARG_PATH || what == ARG_PATHS) {
        complete_path(a, keep, word);
        return;
    }
    if (what != ARG_NONE)
        MATCH[what](&m, a);
    complete_with(a, &m, keep, "");
}

/* The last word of the arguments is the one that is completed; behind a space that is a new one. */
static void complete_argument(struct app *a, const struct cmd *c, const char *line,
                              const char *args) {
    struct buf word = {0};
    const char *at = args, *from;
    size_t i = 0;

    for (;; i++) {
        const char *next;

        buf_reset(&word);
        from = at + strspn(at, " ");
        next = cmd_word(at, &word);
        if (!*next)
            break;
        at = next;
    }
    if (i >= CMD_ARGS || c->arg[i] == ARG_NONE)
        i = c->arg[0] == ARG_PATHS ? 0 : CMD_ARGS - 1;
    complete_word(a, c->arg[i], view_of(line, (size_t)(from - line)), (char *)word.p);
    buf_free(&word);
}

void cmd_complete(struct app *a) {
    cleanup_buf struct buf text = {0};
    struct matches m = {0};
    const struct cmd *c;
    char *line, *space;

    if (!cmd_typed(a))
        return;
    edit_text(a->input, &text);
    line = (char *)text.p;
    space = strchr(line, ' ');
    m.start = line + 1;
    if (!space) {
        match_commands(&m);
        complete_with(a, &m, view_of("/", 1), "");
        return;
    }
    c = cmd_named(view_of(line + 1, (size_t)(space - line - 1)));
    if (c)
        complete_argument(a, c, line, space);
    else
        app_say(a, ROLE_DIM, "nothing begins like that");
}

void cmd_hint(const struct app *a, char *out, size_t n) {
    cleanup_buf struct buf text = {0};
    struct matches m = {0};
    const struct cmd *c;
    size_t len;

    out[0] = 0;
    if (!cmd_typed(a) || edit_len(a->input) > WORD_MAX)
        return;
    edit_text(a->input, &text);
    len = strcspn((char *)text.p + 1, " ");
    text.p[1 + len] = 0;
    m.start = (char *)text.p + 1;
    match_commands(&m);
    c = cmd_named(view_str(m.n == 1 ? m.common : m.start));
    if (c)
        snprintf(out, n, "/%s %s%s%s", c->name, c->args, *c->args ? "  " : "", c->help);
}
