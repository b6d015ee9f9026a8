/* Who the person is to sellers: questions about identities, and what their answers do. */
#include "tui/app.h"

#include <stdio.h>
#include <string.h>

#include "core/nip19.h"

const struct identity *app_identity(const struct app *a) {
    return a->conf.identities ? identities_chosen(a->conf.identities) : NULL;
}

void app_identity_drop(struct app *a) {
    hidden_free(a->identity.text);
    hidden_free(a->identity.first);
    newcomer_free(a->identity.newcomer);
    a->identity = (struct app_identity){0};
}

void app_identity_line(const struct app *a, struct buf *body) {
    const struct identity *who = app_identity(a);
    char key[20];

    if (!who)
        return;
    npub_short(who->pub, key);
    buf_fmt(body, "\nThe seller will know that it is you: %s (%s).", who->name, key);
    if (who->signer)
        buf_str(body, " Your signer is asked to sign that first.");
}

/* The one that is named must be there; says so otherwise. */
static const struct identity *named(struct app *a, const char *name) {
    const struct identity *id =
        a->conf.identities ? identities_find(a->conf.identities, name) : NULL;

    if (!id)
        app_say(a, ROLE_WARN, "there is no identity '%s'", name);
    return id;
}

/* --- asking --- */

static void ask_name(struct app *a, const char *title) {
    struct prompt *p = &a->prompt;

    if (!a->conf.identities) {
        app_say(a, ROLE_WARN, "no identities are kept here");
        return;
    }
    prompt_ask_text(p, THEN_IDENTITY_NAME, title, IDENTITY_NAME - 1);
    buf_str(&p->body, "A name for it on this machine: letters, digits, '_' and '-'.\n"
                      "Sellers see its public key in the jobs for which you choose it, and can "
                      "tell that they come from one person.");
}

void app_identity_make(struct app *a) {
    app_identity_drop(a);
    ask_name(a, "Make an identity");
}

void app_identity_import(struct app *a) {
    app_identity_drop(a);
    ask_name(a, "Import an identity");
    if (a->prompt.open)
        a->identity.text = hidden_new(); /* tells the two apart; filled by the next answer */
}

void app_identity_remote(struct app *a) {
    app_identity_drop(a);
    ask_name(a, "Use a remote signer");
    a->identity.remote = a->prompt.open;
}

static void ask_signer(struct app *a) {
    prompt_ask_hidden(&a->prompt, THEN_IDENTITY_SIGNER, "Its address");
    buf_str(&a->prompt.body,
            "bunker://..., as your signer shows it, typed or pasted. The secret in it serves once "
            "and is not kept. The key stays with the signer and never enters this machine.");
}

static void ask_key(struct app *a) {
    prompt_ask_hidden(&a->prompt, THEN_IDENTITY_KEY, "Its key");
    buf_str(&a->prompt.body, "nsec1... or ncryptsec1..., typed or pasted. It is kept in locked "
                             "memory, stored only as ncryptsec, never shown, never logged.");
}

static bool is_sealed(const struct hidden *h) {
    struct view v = hidden_view(h);

    while (v.n && *v.p == ' ')
        v = view_of(v.p + 1, v.n - 1);
    return v.n > 9 && !strncasecmp((const char *)v.p, "ncryptsec", 9);
}

static void ask_passphrase(struct app *a) {
    bool own = a->identity.text && is_sealed(a->identity.text);

    prompt_ask_hidden(&a->prompt, THEN_IDENTITY_PASSPHRASE,
                      own ? "The passphrase of this ncryptsec" : "A passphrase for it");
    if (a->identity.remote)
        buf_fmt(&a->prompt.body,
                "At least %d characters. It seals the key by which your signer knows this program: "
                "who has both can ask your signer to sign.",
                IDENTITY_PASSPHRASE_MIN);
    else if (!own)
        buf_fmt(&a->prompt.body,
                "At least %d characters. Whoever has the file can try passphrases for as long as "
                "he likes; without it the key is lost.",
                IDENTITY_PASSPHRASE_MIN);
}

static void ask_again(struct app *a) {
    prompt_ask_hidden(&a->prompt, THEN_IDENTITY_AGAIN, "The same passphrase again");
}

static void ask_unlock(struct app *a, const struct identity *id, bool choose) {
    char key[20];

    npub_short(id->pub, key);
    snprintf(a->identity.name, sizeof a->identity.name, "%s", id->name);
    a->identity.choose = choose;
    prompt_ask_hidden(&a->prompt, THEN_IDENTITY_UNLOCK, "Passphrase");
    buf_fmt(&a->prompt.body, "Unlocks '%s' (%s) until it is locked, or this program ends.",
            id->name, key);
}

void app_identity_unlock(struct app *a, const char *name) {
    const struct identity *id = named(a, name);

    app_identity_drop(a);
    if (id && id->unlocked)
        app_say(a, ROLE_DIM, "'%s' is unlocked already", name);
    else if (id)
        ask_unlock(a, id, false);
}

void app_identity_choose(struct app *a, const char *name) {
    const struct identity *id = name ? named(a, name) : NULL;
    struct err e;

    app_identity_drop(a);
    if (name && !id)
        return;
    if (id && !id->unlocked)
        ask_unlock(a, id, true);
    else if (a->conf.identities && identities_choose(a->conf.identities, name, &e))
        app_say(a, ROLE_BAD, "%s", e.text);
    else if (name)
        app_say(a, ROLE_TEXT, "sellers of the next jobs will know that it is you: '%s'", name);
    else
        app_say(a, ROLE_TEXT, "the next jobs have a key of their own each; nobody is introduced");
}

void app_identity_lock(struct app *a, const char *name) {
    if (!named(a, name))
        return;
    identities_lock(a->conf.identities, name);
    app_say(a, ROLE_TEXT, "'%s' is locked", name);
}

void app_identity_remove(struct app *a, const char *name) {
    const struct identity *id = named(a, name);
    char key[20];

    app_identity_drop(a);
    if (!id)
        return;
    npub_short(id->pub, key);
    snprintf(a->identity.name, sizeof a->identity.name, "%s", name);
    prompt_ask(&a->prompt, THEN_IDENTITY_REMOVE, "Remove this identity?", "remove");
    buf_fmt(&a->prompt.body, "'%s' (%s): its file is deleted. %s\nType remove and press Enter.",
            name, key,
            id->signer ? "Its key stays with your signer: take this program's leave away there too."
                       : "Without a copy of the key elsewhere nobody can ever sign as it again.");
}

/* --- answers --- */

static void named_it(struct app *a, struct view typed) {
    struct app_identity *x = &a->identity;
    cleanup_free char *name = mem_strn(typed.p, typed.n);

    if (!identity_name_ok(name)) {
        app_say(a, ROLE_WARN, "that is no name: 1 to %d letters, digits, '_' and '-'",
                IDENTITY_NAME - 1);
        app_identity_drop(a);
        return;
    }
    if (identities_find(a->conf.identities, name)) {
        app_say(a, ROLE_WARN, "there is an identity '%s' already", name);
        app_identity_drop(a);
        return;
    }
    memcpy(x->name, name, strlen(name) + 1);
    if (x->remote)
        ask_signer(a);
    else if (x->text)
        ask_key(a);
    else
        ask_passphrase(a);
}

static void add(struct app *a, struct view passphrase) {
    struct app_identity *x = &a->identity;
    struct identities *l = a->conf.identities;
    struct err e;
    int rc = x->text ? identities_import(l, x->name, hidden_view(x->text), passphrase, &e)
                     : identities_make(l, x->name, passphrase, &e);

    if (rc)
        app_say(a, ROLE_BAD, "%s", e.text);
    else
        app_say(a, ROLE_TEXT, "'%s' is kept, and unlocked; choose it to be known by it", x->name);
    app_identity_drop(a);
}

/* An ncryptsec has its passphrase already; a new one is typed twice. */
static void passphrase_typed(struct app *a, struct hidden *typed) {
    struct app_identity *x = &a->identity;

    if (x->text && is_sealed(x->text)) {
        add(a, hidden_view(typed));
        hidden_free(typed);
        return;
    }
    if (hidden_view(typed).n < IDENTITY_PASSPHRASE_MIN) {
        app_say(a, ROLE_WARN, "that is shorter than %d characters: nothing was done",
                IDENTITY_PASSPHRASE_MIN);
        hidden_free(typed);
        app_identity_drop(a);
        return;
    }
    x->first = typed;
    ask_again(a);
}

static void typed_again(struct app *a, struct hidden *typed) {
    if (hidden_eq(a->identity.first, typed) && a->identity.remote) {
        app_signer_meet(a, hidden_view(typed));
    } else if (hidden_eq(a->identity.first, typed)) {
        add(a, hidden_view(typed));
    } else {
        app_say(a, ROLE_WARN, "the two passphrases differ: nothing was done");
        app_identity_drop(a);
    }
    hidden_free(typed);
}

/* Looked at before a passphrase is asked for it. */
static void address_typed(struct app *a, struct hidden *typed) {
    struct err e;

    a->identity.text = typed;
    if (app_signer_address_ok(typed, &e)) {
        ask_passphrase(a);
        return;
    }
    app_say(a, ROLE_WARN, "%s", e.text);
    app_identity_drop(a);
}

static void unlock(struct app *a, struct hidden *typed) {
    struct app_identity x = a->identity;
    struct err e;

    if (identities_unlock(a->conf.identities, x.name, hidden_view(typed), &e))
        app_say(a, ROLE_BAD, "%s", e.text);
    else if (x.choose)
        app_identity_choose(a, x.name);
    else
        app_say(a, ROLE_TEXT, "'%s' is unlocked", x.name);
    hidden_free(typed);
}

static void removed(struct app *a) {
    struct err e;

    if (identities_remove(a->conf.identities, a->identity.name, &e))
        app_say(a, ROLE_BAD, "%s", e.text);
    else
        app_say(a, ROLE_TEXT, "'%s' is gone", a->identity.name);
}

void app_identity_answered(struct app *a, enum prompt_then then, struct view typed,
                           struct hidden *secret) {
    if (then == THEN_IDENTITY_NAME) {
        named_it(a, typed);
    } else if (then == THEN_IDENTITY_REMOVE) {
        removed(a);
    } else if (then == THEN_IDENTITY_UNLOCK) {
        unlock(a, secret);
    } else if (then == THEN_IDENTITY_PASSPHRASE) {
        passphrase_typed(a, secret);
    } else if (then == THEN_IDENTITY_AGAIN) {
        typed_again(a, secret);
    } else if (then == THEN_IDENTITY_SIGNER) {
        address_typed(a, secret);
    } else {
        hidden_free(a->identity.text);
        a->identity.text = secret;
        ask_passphrase(a);
    }
}
