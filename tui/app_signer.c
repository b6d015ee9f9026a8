/* What waits for a remote signer: a new identity, or the start of a job. Nothing goes to a seller
 * before the signer has signed, and nothing that it says is more than shown. */
#include "tui/app.h"

#include <string.h>

#include "core/text.h"

bool app_signer_address_ok(const struct hidden *typed, struct err *e) {
    struct signer_url at;
    bool ok = signer_url_parse(hidden_view(typed), &at, e) == 0;

    explicit_bzero(&at, sizeof at);
    return ok;
}

/* --- meeting --- */

static int meet(struct app *a, struct view passphrase, struct err *e) {
    struct app_identity *x = &a->identity;
    struct signer_url at;
    int rc = signer_url_parse(hidden_view(x->text), &at, e);

    if (rc == 0 && !(x->newcomer = identities_prepare(a->conf.identities, x->name, passphrase, e)))
        rc = -1;
    if (rc == 0)
        rc = a->conf.port->meet(a->conf.port_arg, &at, newcomer_key(x->newcomer), e);
    explicit_bzero(&at, sizeof at);
    return rc;
}

/* The passphrase has done its work: it does not wait with the rest. */
void app_signer_meet(struct app *a, struct view passphrase) {
    struct err e;

    hidden_free(a->identity.first);
    a->identity.first = NULL;
    if (meet(a, passphrase, &e) == 0)
        return;
    app_say(a, ROLE_BAD, "%s", e.text);
    app_identity_drop(a);
}

static int admit(struct app *a, const uint8_t user[static 32], struct err *e) {
    struct app_identity *x = &a->identity;
    struct newcomer *n = x->newcomer;
    struct signer_url at;
    int rc = signer_url_parse(hidden_view(x->text), &at, e);

    x->newcomer = NULL;
    if (rc == 0)
        rc = identities_admit(a->conf.identities, n, &at, user, e);
    else
        newcomer_free(n);
    explicit_bzero(&at, sizeof at);
    return rc;
}

void app_on_met(struct app *a, const uint8_t user[static 32]) {
    struct err e;

    if (!a->identity.newcomer)
        return;
    prompt_close(&a->prompt);
    if (admit(a, user, &e))
        app_say(a, ROLE_BAD, "%s", e.text);
    else
        app_say(a, ROLE_TEXT, "'%s' is known here, and unlocked; choose it to be known by it",
                a->identity.name);
    app_identity_drop(a);
}

/* --- waiting --- */

static void say_what(const struct app *a, struct buf *body) {
    const struct identity *who = app_identity(a);

    if (a->identity.newcomer)
        buf_fmt(body, "It is asked who '%s' is. It may want you to say yes where it runs.",
                a->identity.name);
    else
        buf_fmt(body,
                "It is asked to sign, as '%s', for the one-time key of this job. Nothing has gone "
                "to the seller yet.",
                who ? who->name : "you");
}

void app_on_waits(struct app *a, int64_t until, const char *visit) {
    struct prompt *p = &a->prompt;

    if (p->open && p->then != THEN_SIGNER)
        return;
    prompt_wait(p, THEN_SIGNER, "Waiting for your signer", until);
    say_what(a, &p->body);
    if (visit)
        buf_fmt(&p->body,
                "\nIt wants you to say yes at the address below. Nothing is opened: if it is your "
                "signer's, open it yourself.\n%s",
                visit);
}

static void over(struct app *a) {
    if (a->prompt.open && a->prompt.then == THEN_SIGNER)
        prompt_close(&a->prompt);
}

void app_on_signed(struct app *a) {
    over(a);
}

void app_on_unsigned(struct app *a, const struct err *why) {
    bool meeting = a->identity.newcomer != NULL;

    over(a);
    app_say(a, ROLE_BAD, "%s: %s", meeting ? "not added" : "nothing was sent", why->text);
    if (meeting)
        app_identity_drop(a);
}

void app_signer_stop(struct app *a) {
    a->conf.port->unask(a->conf.port_arg);
    app_say(a, ROLE_TEXT, "the signer is waited for no longer: %s",
            a->identity.newcomer ? "no identity was added" : "nothing was sent");
}
