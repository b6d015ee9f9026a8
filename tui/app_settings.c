/* The screen of keys and settings: what its keys do. Values change in this run at once; `w` writes
 * those that were changed into the file. */
#include "tui/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/path.h"

#define VALUE_CHARS 4096

static bool two_columns(const struct app *a) {
    return a->cols >= APP_TWO_COLUMNS;
}

static char *shown(const char *path) {
    return path_shown(path ? path : "nowhere");
}

void app_settings_fill(struct app *a, size_t height) {
    const struct app_conf *c = &a->conf;
    cleanup_free char *config = shown(c->config), *receipts = shown(c->bundles);
    cleanup_free char *folder = shown(c->folder), *state = shown(c->state);
    struct option_places p = {config, state, receipts, folder};

    options_fill(a->options, c->set, c->identities, &p, c->policy_given ? c->policy : NULL,
                 a->unix_now);
    options_show(a->options, height, two_columns(a));
}

void app_settings_move(struct app *a, enum list_move m) {
    options_move(a->options, m, (size_t)a->rows / 2);
}

void app_settings_side(struct app *a, bool right) {
    if (two_columns(a))
        options_side(a->options, right);
}

/* --- changes --- */

/* Told to the world, which takes it up where it can. */
void app_setting_changed(struct app *a, const struct conf_key *key) {
    a->conf.relays = a->conf.set->relay.n;
    a->conf.port->setting(a->conf.port_arg, key->name);
    if (key != settings_key("policy"))
        return;
    a->conf.policy_given = a->conf.simulated;
    if (a->conf.simulated)
        app_say(a, ROLE_WARN,
                "this run keeps the policy demo of its command line; written with w, "
                "yours counts from the next start");
}

static void ask_value(struct app *a, const struct conf_key *key, const char *now) {
    struct prompt *p = &a->prompt;

    a->setting = key;
    prompt_ask_text(p, THEN_SETTING, key->name, VALUE_CHARS);
    if (now)
        edit_set(p->edit, view_str(now));
    buf_fmt(&p->body, "%s\n", key->help);
    if (key->type == CONF_LIST)
        buf_str(&p->body, "Nothing is written to disk before you say so.");
}

void app_settings_ask(struct app *a, const struct conf_key *key) {
    ask_value(a, key, NULL);
}

static void toggle_entry(struct app *a, const struct option_row *r) {
    settings_toggle(a->conf.set, r->key, r->label);
    app_setting_changed(a, r->key);
}

static void change_key(struct app *a, const struct option_row *r) {
    if (settings_next(a->conf.set, r->key))
        app_setting_changed(a, r->key);
    else
        ask_value(a, r->key, r->value);
}

void app_settings_change(struct app *a) {
    const struct option_row *r = options_at(a->options);

    if (!r)
        return;
    switch (r->kind) {
    case OPTION_HEAD:
    case OPTION_NOTE:
        return;
    case OPTION_KEY:
        change_key(a, r);
        return;
    case OPTION_ENTRY:
        toggle_entry(a, r);
        return;
    case OPTION_ADD:
        app_settings_ask(a, r->key);
        return;
    case OPTION_WHO:
        app_identity_choose(a, r->who);
        return;
    case OPTION_MAKE:
        app_identity_make(a);
        return;
    case OPTION_IMPORT:
        app_identity_import(a);
        return;
    case OPTION_SIGNER:
        app_identity_remote(a);
        return;
    }
}

/* The identity under the cursor; says so when there is none. */
static const char *who_at(struct app *a) {
    const struct option_row *r = options_at(a->options);
    const char *who = r && r->kind == OPTION_WHO ? r->who : NULL;

    if (!who)
        app_say(a, ROLE_DIM, "that is for an identity that is kept here");
    return who;
}

void app_settings_lock(struct app *a) {
    const char *who = who_at(a);
    const struct identity *id = who ? identities_find(a->conf.identities, who) : NULL;

    if (id && id->unlocked)
        app_identity_lock(a, who);
    else if (id)
        app_identity_unlock(a, who);
}

void app_settings_remove(struct app *a) {
    const char *who = who_at(a);

    if (who)
        app_identity_remove(a, who);
}

void app_settings_typed(struct app *a, struct view typed) {
    struct err e;

    if (typed.n == 0 && a->setting->type != CONF_STRING)
        return;
    if (settings_put(a->conf.set, a->setting, typed, &e) != 0) {
        app_say(a, ROLE_BAD, "not changed: %s", e.text);
        return;
    }
    app_setting_changed(a, a->setting);
    if (a->setting == settings_key("relay")) {
        cleanup_free char *url = mem_strn(typed.p, typed.n);

        app_try_relay(a, url);
    }
}

/* The policy file, or another text that Enter would step over. */
void app_settings_type(struct app *a) {
    const struct option_row *r = options_at(a->options);

    if (r && r->kind == OPTION_KEY && r->key->type == CONF_STRING)
        ask_value(a, r->key, r->value);
    else
        app_settings_change(a);
}

void app_settings_write(struct app *a) {
    cleanup_free char *file = shown(a->conf.config);
    struct err e;

    if (!a->conf.config)
        return;
    if (!a->conf.set->changed)
        app_say(a, ROLE_DIM, "nothing was changed: %s stays as it is", file);
    else if (settings_save(a->conf.set, a->conf.config, &e) != 0)
        app_say(a, ROLE_BAD, "%s", e.text);
    else
        app_say(a, ROLE_OK, "written: %s", file);
}

/* --- relays --- */

void app_try_relay(struct app *a, const char *url) {
    options_try(a->options, url)->running = true;
    a->conf.port->probe(a->conf.port_arg, url);
}

void app_settings_try(struct app *a) {
    const struct option_row *r = options_at(a->options);

    if (r && r->kind == OPTION_ENTRY && r->key == settings_key("relay"))
        app_try_relay(a, r->label);
    else
        app_say(a, ROLE_DIM, "t tries the relay under the cursor");
}

void app_on_tried(struct app *a, const char *url, int64_t ms, const char *why) {
    struct option_try *t = options_try(a->options, url);

    t->running = false;
    t->ms = ms;
    snprintf(t->why, sizeof t->why, "%s", why ? why : "");
    if (a->screen != SCR_SETTINGS)
        return;
    if (why)
        app_say(a, ROLE_WARN, "%s: %s", url, why);
    else
        app_say(a, ROLE_OK, "%s answered in %lld ms", url, (long long)ms);
}

void app_on_option_relays(struct app *a, const struct option_relay *r, size_t n) {
    struct options *o = a->options;

    o->n_relays = n < OPTION_RELAYS ? n : OPTION_RELAYS;
    if (o->n_relays > 0)
        memcpy(o->relay, r, o->n_relays * sizeof *r);
}

static void keep(const char **at, const char *s) {
    free((char *)*at);
    *at = mem_str(s);
}

void app_on_option_policy(struct app *a, const struct option_policy *p) {
    a->options->policy = *p;
    keep(&a->conf.policy, p->policy.name);
}

void app_on_folder(struct app *a, const char *folder) {
    keep(&a->conf.folder, folder);
}

void app_on_terminal(struct app *a, const char *words) {
    snprintf(a->terminal, sizeof a->terminal, "%s", words);
}

void app_on_display(struct app *a, bool ascii, bool blur) {
    a->conf.ascii = ascii;
    a->conf.blur = blur;
}
