#include "tui/cmd.h"
#include "tui/flow.h"
#include "tui/path.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define WORD_MAX 1024
#define SHOWN_MAX 6

/* Words of a line, parted by spaces; quotes and backslashes as in a shell. Owned words; returns how
 * many, at most max + 1 to tell that there were more. */
static size_t words_of(const char *s, char **word, size_t max) {
    size_t n = 0;

    while (*(s += strspn(s, " "))) {
        cleanup_buf struct buf b = {0};
        char quote = 0;

        if (n == max)
            return max + 1;
        for (; *s && (quote || *s != ' '); s++) {
            if (*s == quote)
                quote = 0;
            else if (!quote && (*s == '"' || *s == '\''))
                quote = *s;
            else {
                s += *s == '\\' && quote != '\'' && s[1];
                buf_add(&b, s, 1);
            }
        }
        word[n++] = buf_take(&b);
    }
    return n;
}

static bool is_file(const char *path) {
    struct stat st;

    return stat(path, &st) == 0;
}

static void attach_words(struct app *a, const char *arg) {
    char *word[APP_ATTACH], *path[APP_ATTACH];
    size_t n = words_of(arg, word, APP_ATTACH), kept = n > APP_ATTACH ? APP_ATTACH : n;

    for (size_t i = 0; i < kept; i++) {
        path[i] = path_typed(word[i]);
        free(word[i]);
    }
    app_ask_attach(a, (const char *const *)path, n);
    for (size_t i = 0; i < kept; i++)
        free(path[i]);
}

/* A name with spaces in it may be typed as it is when it is the only one. */
static void run_attach(struct app *a, const char *arg) {
    cleanup_free char *whole = path_typed(arg);
    const char *const one[] = {whole};

    if (!*arg)
        app_say(a, ROLE_WARN, "/attach PATH...: which file?");
    else if (is_file(whole))
        app_ask_attach(a, one, 1);
    else
        attach_words(a, arg);
}

static void run_source(struct app *a, const char *arg) {
    uint64_t n = 1;

    if (*arg && !decimal_parse(arg, &n))
        n = 0;
    app_source_open(a, n < SOURCES_MAX + 1 ? (size_t)n : 0);
}

static void run_param(struct app *a, const char *arg) {
    (void)arg;
    for (size_t i = 0; i < a->n_params; i++)
        app_note(a, ROLE_DIM, "%s = %s", a->params[i].key, a->params[i].value);
    app_say(a, ROLE_DIM, "%zu parameters; set before a guest starts: p where the offer is shown",
            a->n_params);
}

static void run_get(struct app *a, const char *arg) {
    cleanup_free char *word = mem_str(arg), *path = NULL;
    char *space = strchr(word, ' ');

    if (space)
        *space++ = 0;
    path = path_typed(space ? space : "");
    app_save_file(a, *word ? word : "1", path);
}

static void run_save(struct app *a, const char *arg) {
    cleanup_free char *path = path_typed(arg);

    app_save_bundle(a, path);
}

static void run_stop(struct app *a, const char *arg) {
    (void)arg;
    app_stop_answer(a);
}

static void run_end(struct app *a, const char *arg) {
    (void)arg;
    app_ask_end(a);
}

static void run_job(struct app *a, const char *arg) {
    app_job_named(a, arg);
}

static void run_verify(struct app *a, const char *arg) {
    (void)arg;
    app_go(a, SCR_ATTEST);
}

static void run_help(struct app *a, const char *arg) {
    (void)arg;
    app_do(a, ACT_HELP);
}

static const struct cmd TABLE[] = {
    {"attach", "PATH...", "send files to the guest (asks first)", run_attach},
    {"source", "[N]", "show passage N of the newest answer in its document", run_source},
    {"get", "[N|NAME] [PATH]", "save a file that came from the guest", run_get},
    {"save", "[PATH]", "save the bundle: evidence and receipt, for `cdvm verify`", run_save},
    {"stop", "", "stop the answer that is being given", run_stop},
    {"end", "", "end the job; the guest wipes itself (asks first)", run_end},
    {"job", "[N|ID]", "the jobs; or go to one of them", run_job},
    {"verify", "", "show what was verified", run_verify},
    {"param", "", "the parameters of this job", run_param},
    {"help", "", "keys and commands", run_help},
};

const struct cmd *cmd_table(size_t *n) {
    *n = COUNT(TABLE);
    return TABLE;
}

bool cmd_typed(const struct app *a) {
    return edit_len(a->input) > 0 && edit_at(a->input, 0) == '/';
}

static void run(struct app *a, char *line) {
    char *arg = line + strcspn(line, " ");
    size_t n = (size_t)(arg - line);

    arg += strspn(arg, " ");
    arg[flow_trim(view_str(arg))] = 0; /* completion leaves a space behind a whole name */
    for (size_t i = 0; i < COUNT(TABLE); i++)
        if (strlen(TABLE[i].name) == n && !strncmp(TABLE[i].name, line, n)) {
            TABLE[i].run(a, arg);
            return;
        }
    app_say(a, ROLE_WARN, "there is no command /%.*s; /help lists them", (int)n, line);
}

static void turn_add(struct app_job *j, const uint8_t id[static 32], int64_t now) {
    if (j->n_turns == APP_TURNS) {
        sources_free(&j->turn[0].sources);
        memmove(j->turn, j->turn + 1, (APP_TURNS - 1) * sizeof j->turn[0]);
        j->n_turns--;
    }
    j->turn[j->n_turns] = (struct app_turn){.open = true, .asked = now};
    memcpy(j->turn[j->n_turns++].id, id, 32);
}

static void say_to_guest(struct app *a, struct view text) {
    const char *why;
    uint8_t id[32];
    struct err e;

    if (!app_may_send(a, &why)) {
        app_say(a, ROLE_WARN, "%s", why);
        return;
    }
    if (a->conf.port->ask(a->conf.port_arg, a->job->number, text, id, &e) != 0) {
        app_say(a, ROLE_BAD, "not sent: %s", e.text);
        return;
    }
    turn_add(a->job, id, a->now);
    app_chat(a, "you", ROLE_ACCENT, false, text);
    pager_move(a->job->chat, LIST_BOTTOM);
    edit_remember(a->input);
}

void cmd_enter(struct app *a) {
    cleanup_buf struct buf text = {0};

    edit_text(a->input, &text);
    if (text.n == 0)
        return;
    if (cmd_typed(a)) {
        run(a, (char *)text.p + 1);
        edit_remember(a->input);
    } else
        say_to_guest(a, buf_view(&text));
    explicit_bzero(text.p, text.n);
}

/* --- completion --- */

struct matches {
    char common[WORD_MAX], shown[200];
    size_t n;
};

static void match_add(struct matches *m, const char *word) {
    size_t same = 0;

    if (m->n++ == 0)
        snprintf(m->common, sizeof m->common, "%s", word);
    while (m->common[same] && m->common[same] == word[same])
        same++;
    m->common[same] = 0;
    if (m->n <= SHOWN_MAX && strlen(m->shown) + strlen(word) + 2 < sizeof m->shown)
        snprintf(m->shown + strlen(m->shown), sizeof m->shown - strlen(m->shown), "%s ", word);
}

static void match_commands(struct matches *m, const char *start) {
    for (size_t i = 0; i < COUNT(TABLE); i++)
        if (!strncmp(TABLE[i].name, start, strlen(start)))
            match_add(m, TABLE[i].name);
}

static void match_files(struct matches *m, const char *dir, const char *start) {
    DIR *d = opendir(*dir ? dir : ".");
    struct dirent *ent;

    while (d && (ent = readdir(d))) {
        bool hidden = ent->d_name[0] == '.';
        char word[300];

        if (strncmp(ent->d_name, start, strlen(start)) != 0 || (hidden && *start != '.'))
            continue;
        snprintf(word, sizeof word, "%s%s", ent->d_name, ent->d_type == DT_DIR ? "/" : "");
        match_add(m, word);
    }
    if (d)
        closedir(d);
}

static void complete_with(struct app *a, const struct matches *m, const char *keep) {
    cleanup_buf struct buf line = {0};
    bool one = m->n == 1 && m->common[strlen(m->common) - 1] != '/';

    if (m->n == 0) {
        app_say(a, ROLE_DIM, "nothing begins like that");
        return;
    }
    buf_fmt(&line, "%s%s%s", keep, m->common, one ? " " : "");
    edit_set(a->input, buf_view(&line));
    if (m->n > 1)
        app_say(a, ROLE_DIM, "%s%s", m->shown, m->n > SHOWN_MAX ? "..." : "");
}

static void complete_path(struct app *a, char *line, char *path) {
    struct matches m = {0};
    char *slash = strrchr(path, '/'), *start = slash ? slash + 1 : path;
    cleanup_free char *typed = mem_strn(path, (size_t)(start - path));
    cleanup_free char *keep = mem_strn(line, (size_t)(start - line));
    cleanup_free char *dir = path_typed(typed);

    match_files(&m, dir, start);
    complete_with(a, &m, keep);
}

/* /attach takes several paths: the last one is completed. */
static char *last_word(char *arg) {
    char *last = strrchr(arg, ' ');

    return last && last[1] ? last + 1 : arg + strlen(arg);
}

void cmd_complete(struct app *a) {
    cleanup_buf struct buf text = {0};
    struct matches m = {0};
    char *line, *space;

    if (!cmd_typed(a))
        return;
    edit_text(a->input, &text);
    line = (char *)text.p;
    space = strchr(line, ' ');
    if (space) {
        complete_path(a, line, last_word(space));
        return;
    }
    match_commands(&m, line + 1);
    complete_with(a, &m, "/");
}
