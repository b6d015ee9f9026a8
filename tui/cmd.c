#include "tui/cmd.h"
#include "tui/flow.h"
#include "tui/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *cmd_word(const char *s, struct buf *word) {
    char quote = 0;

    buf_add(word, "", 0);
    for (s += strspn(s, " "); *s && (quote || *s != ' '); s++) {
        if (*s == quote)
            quote = 0;
        else if (!quote && (*s == '"' || *s == '\''))
            quote = *s;
        else {
            s += *s == '\\' && quote != '\'' && s[1];
            buf_add(word, s, 1);
        }
    }
    return s;
}

/* Owned words; returns how many, at most max + 1 to tell that there were more. */
static size_t words_of(const char *s, char **word, size_t max) {
    size_t n = 0;

    while (*(s += strspn(s, " "))) {
        cleanup_buf struct buf b = {0};

        if (n == max)
            return max + 1;
        s = cmd_word(s, &b);
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

/* "", or a number from 1; anything else is 0, which nothing has. */
static size_t number_of(const char *arg, size_t usual) {
    uint64_t n = usual;

    if (*arg && !decimal_parse(arg, &n))
        n = 0;
    return n < 1000000 ? (size_t)n : 0;
}

static void run_source(struct app *a, const char *arg) {
    app_source_open(a, number_of(arg, 1));
}

static void say_param(struct app *a, const struct job_param *p) {
    app_note(a, ROLE_DIM, "%s = %s", p->key, p->value);
}

static void run_param(struct app *a, const char *arg) {
    size_t shown = 0;

    for (size_t i = 0; i < a->n_params; i++)
        if (!*arg || !strcmp(a->params[i].key, arg)) {
            say_param(a, &a->params[i]);
            shown++;
        }
    if (*arg && shown == 0)
        app_say(a, ROLE_WARN, "this job has no parameter %s", arg);
    else
        app_say(a, ROLE_DIM,
                "%zu parameters; set before a guest starts: p where the offer is shown", shown);
}

/* The first word and what follows it, as a path. */
static void run_get(struct app *a, const char *arg) {
    cleanup_buf struct buf which = {0}, to = {0};
    cleanup_free char *path = NULL;

    (void)cmd_word(cmd_word(arg, &which), &to);
    path = path_typed((char *)to.p);
    app_save_file(a, app_file_named(a, which.n ? (char *)which.p : "1"), path);
}

static void run_save(struct app *a, const char *arg) {
    cleanup_free char *path = path_typed(arg);

    app_save_talk(a, path);
}

static void run_bundle(struct app *a, const char *arg) {
    cleanup_free char *path = path_typed(arg);

    app_save_bundle(a, path);
}

static void run_table(struct app *a, const char *arg) {
    app_table_open(a, number_of(arg, a->job->n_tables));
}

static void run_resend(struct app *a, const char *arg) {
    app_resend(a, number_of(arg, 1));
}

static void run_edit(struct app *a, const char *arg) {
    app_edit_again(a, number_of(arg, 1));
}

static void run_copy(struct app *a, const char *arg) {
    app_copy_named(a, arg);
}

static void run_files(struct app *a, const char *arg) {
    (void)arg;
    app_go(a, SCR_FILES);
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

static void run_keep(struct app *a, const char *arg) {
    if (!strcmp(arg, "off"))
        app_resume_unset(a);
    else if (*arg)
        app_say(a, ROLE_WARN, "/keep, or /keep off");
    else
        app_resume_set(a);
}

static void run_help(struct app *a, const char *arg) {
    (void)arg;
    app_do(a, ACT_HELP);
}

static const struct cmd TABLE[] = {
    {"attach", "PATH...", "send files to the guest (asks first)", run_attach, {ARG_PATHS}},
    {"get", "[N|NAME] [PATH]", "save a file of the guest", run_get, {ARG_FILE, ARG_PATH}},
    {"files", "", "files, both ways", run_files, {0}},
    {"source", "[N]", "passage N of the newest answer in its document", run_source, {ARG_SOURCE}},
    {"table", "[N]", "a table of an answer, to scroll and sort", run_table, {ARG_TABLE}},
    {"copy", "[answer|guest]", "to the terminal's clipboard (OSC 52)", run_copy, {ARG_COPY}},
    {"stop", "", "stop the answer that is being given", run_stop, {0}},
    {"resend", "[N]", "ask again; 1 is the newest question", run_resend, {ARG_TURN}},
    {"edit", "[N]", "a question of before as a draft", run_edit, {ARG_TURN}},
    {"save", "[PATH]", "write this conversation to a file, in the clear", run_save, {ARG_PATH}},
    {"bundle", "[PATH]", "save evidence and receipt for `cdvm verify`", run_bundle, {ARG_PATH}},
    {"end", "", "end the job; the guest wipes itself (asks first)", run_end, {0}},
    {"job", "[N|ID]", "the jobs; or go to one of them", run_job, {ARG_JOB}},
    {"verify", "", "show what was verified", run_verify, {0}},
    {"param", "[NAME]", "the parameters of this job", run_param, {ARG_PARAM}},
    {"keep", "[off]", "jobs outlive a crash of this program, under a passphrase", run_keep, {0}},
    {"help", "", "keys and commands", run_help, {0}},
};

const struct cmd *cmd_table(size_t *n) {
    *n = COUNT(TABLE);
    return TABLE;
}

const struct cmd *cmd_named(struct view name) {
    for (size_t i = 0; i < COUNT(TABLE); i++)
        if (view_is(name, TABLE[i].name))
            return &TABLE[i];
    return NULL;
}

bool cmd_typed(const struct app *a) {
    return edit_len(a->input) > 0 && edit_at(a->input, 0) == '/';
}

static void run(struct app *a, char *line) {
    char *arg = line + strcspn(line, " ");
    size_t n = (size_t)(arg - line);
    const struct cmd *c = cmd_named(view_of(line, n));

    arg += strspn(arg, " ");
    arg[flow_trim(view_str(arg))] = 0; /* completion leaves a space behind a whole name */
    if (c)
        c->run(a, arg);
    else
        app_say(a, ROLE_WARN, "there is no command /%.*s; /help lists them", (int)n, line);
}

void cmd_enter(struct app *a) {
    cleanup_buf struct buf text = {0};

    edit_text(a->input, &text);
    if (text.n == 0)
        return;
    if (cmd_typed(a)) {
        edit_remember(a->input); /* before: some commands write into the input */
        run(a, (char *)text.p + 1);
    } else if (app_send(a, buf_view(&text)))
        edit_remember(a->input);
    explicit_bzero(text.p, text.n);
}
