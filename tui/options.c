#include "tui/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attest/advisory.h"
#include "attest/checks.h"
#include "core/conf_edit.h"
#include "core/dvm.h"
#include "core/nip19.h"
#include "tui/path.h"

static struct option_row *row_add(struct options *o, enum option_kind kind) {
    static struct option_row spare;
    struct option_row *r = o->n < OPTION_ROWS ? &o->row[o->n++] : &spare;

    *r = (struct option_row){.kind = kind, .role = ROLE_TEXT};
    return r;
}

static void head(struct options *o, const char *title) {
    struct option_row *r;

    if (o->n > 0 && o->n != o->right)
        (void)row_add(o, OPTION_NOTE);
    r = row_add(o, OPTION_HEAD);
    r->role = ROLE_TITLE;
    snprintf(r->label, sizeof r->label, "%s", title);
}

static void note(struct options *o, const char *label, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void note(struct options *o, const char *label, const char *fmt, ...) {
    struct option_row *r = row_add(o, OPTION_NOTE);
    va_list ap;

    r->role = ROLE_DIM;
    snprintf(r->label, sizeof r->label, "%s", label);
    va_start(ap, fmt);
    vsnprintf(r->value, sizeof r->value, fmt, ap);
    va_end(ap);
}

/* --- relays --- */

static const struct option_relay *relay_of(const struct options *o, const char *url) {
    for (size_t i = 0; i < o->n_relays; i++)
        if (!strcmp(o->relay[i].url, url))
            return &o->relay[i];
    return NULL;
}

static const struct option_try *try_of(const struct options *o, const char *url) {
    for (size_t i = 0; i < o->n_tries; i++)
        if (!strcmp(o->tries[i].url, url))
            return &o->tries[i];
    return NULL;
}

struct option_try *options_try(struct options *o, const char *url) {
    const struct option_try *known = try_of(o, url);
    struct option_try *t = known ? &o->tries[known - o->tries] : NULL;

    if (t)
        return t;
    if (o->n_tries == OPTION_RELAYS)
        memmove(&o->tries[0], &o->tries[1], --o->n_tries * sizeof *t);
    t = &o->tries[o->n_tries++];
    *t = (struct option_try){.ms = -1};
    text_clip(t->url, sizeof t->url, url);
    return t;
}

/* At most six characters: 1,204, then 31 M. */
static void grouped(uint64_t n, char out[static 32]) {
    if (n >= 1000000)
        snprintf(out, 32, "%" PRIu64 " M", n / 1000000);
    else if (n >= 100000)
        snprintf(out, 32, "%" PRIu64 " K", n / 1000);
    else if (n >= 1000)
        snprintf(out, 32, "%" PRIu64 ",%03" PRIu64, n / 1000, n % 1000);
    else
        snprintf(out, 32, "%" PRIu64, n);
}

static enum role state_words(const struct option_relay *r, char out[static 160]) {
    switch (r->state) {
    case RELAY_UP:
        snprintf(out, 160, "up");
        return ROLE_OK;
    case RELAY_CONNECTING:
        snprintf(out, 160, "opening");
        return ROLE_DIM;
    case RELAY_WAITING:
        snprintf(out, 160, "retry %" PRId64 "s", r->retry / 1000 + 1);
        return ROLE_WARN;
    case RELAY_DOWN:
        snprintf(out, 160, "dropped");
        return ROLE_BAD;
    }
    return ROLE_TEXT;
}

static enum role try_words(const struct option_try *t, char out[static 160]) {
    if (t->running)
        snprintf(out, 160, "trying");
    else if (t->ms >= 0)
        snprintf(out, 160, "ok %" PRId64 " ms", t->ms);
    else
        snprintf(out, 160, "%s", t->why);
    return t->running ? ROLE_DIM : t->ms >= 0 ? ROLE_OK : ROLE_WARN;
}

enum role options_relay_words(const struct options *o, const char *url, bool used,
                              char state[static 160], char numbers[static 64]) {
    const struct option_relay *r = used ? relay_of(o, url) : NULL;
    const struct option_try *t = try_of(o, url);
    char events[32];

    numbers[0] = state[0] = 0;
    if (t && (t->running || !r))
        return try_words(t, state);
    if (!r)
        return ROLE_DIM;
    grouped(r->events, events);
    if (r->ping >= 0)
        snprintf(numbers, 64, "%5" PRId64 " %6s", r->ping, events);
    else
        snprintf(numbers, 64, "%5s %6s", "-", events);
    return state_words(r, state);
}

/* --- keys of the file --- */

static void choices_of(const struct conf_key *key, char *out, size_t size) {
    size_t at = 0;

    out[0] = 0;
    for (size_t i = 0; key->type == CONF_CHOICE && key->choices[i] && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%s", i ? " / " : "", key->choices[i]);
    if (key->type == CONF_BOOL)
        snprintf(out, size, "yes / no");
    if (key->type == CONF_NUMBER)
        snprintf(out, size, "%" PRIu64 " to %" PRIu64, key->min, key->max);
}

static void row_key(struct options *o, const struct settings *s, const struct conf_key *key) {
    struct option_row *r = row_add(o, OPTION_KEY);
    struct conf_list values;

    r->key = key;
    snprintf(r->label, sizeof r->label, "%s", key->name);
    choices_of(key, r->note, sizeof r->note);
    if (key == settings_key("policy"))
        snprintf(r->note, sizeof r->note, "standard/strict/file");
    conf_values(key, s, &values);
    text_clip(r->value, sizeof r->value, values.n ? values.v[0] : settings_unset(key));
    settings_list_free(&values);
}

static void rows_list(struct options *o, struct settings *s, const struct conf_key *key,
                      const char *add) {
    const struct conf_list *known = settings_known(s, key);
    struct option_row *r;

    for (size_t i = 0; i < known->n; i++) {
        r = row_add(o, OPTION_ENTRY);
        r->key = key;
        r->on = settings_in_use(s, key, known->v[i]);
        text_clip(r->label, sizeof r->label, known->v[i]);
        r->role = options_relay_words(o, r->label, r->on, r->value, r->note);
    }
    r = row_add(o, OPTION_ADD);
    r->key = key;
    snprintf(r->label, sizeof r->label, "%s", add);
}

static void rows_group(struct options *o, const struct settings *s, enum setting_group group) {
    for (size_t i = 0; i < settings_n_keys; i++)
        if (settings_group(&settings_keys[i]) == group && settings_keys[i].type != CONF_LIST)
            row_key(o, s, &settings_keys[i]);
}

/* --- what the policy demands --- */

static enum requirement need_of(const struct policy *p, enum check_id id) {
    return p->override[id] && !check_table[id].fixed ? (enum requirement)(p->override[id] - 1)
                                                     : check_table[id].need[p->profile];
}

static void rows_demands(struct options *o) {
    static const struct {
        enum check_id id;
        const char *words;
    } SHOWN[] = {
        {CK_SNP_CHAIN_ROOT, "report chains to AMD's root"},
        {CK_SNP_MEASUREMENT, "launch digest as recomputed"},
        {CK_RELEASE_ENDORSED, "guest image vouched for"},
        {CK_WORKLOAD_ENDORSED, "workload vouched for"},
        {CK_MODEL_ENDORSED, "model vouched for"},
        {CK_SNP_TCB_FLOOR, "firmware at the floor"},
        {CK_SNP_CRL, "nothing revoked"},
        {CK_GUEST_ACPI, "no code from the host"},
        {CK_CHIP_ENDORSED, "machine's place vouched for"},
        {CK_ADVISORY_FRESH, "warnings up to date"},
    };
    static const char *const WORD[] = {
        [REQ_NOTE] = "noted",        [REQ_ADVISE] = "else WARN", [REQ_OPTIONAL] = "where known",
        [REQ_REQUIRED] = "required", [REQ_MUST] = "required",
    };
    static const char *const MARK[] = {
        [REQ_NOTE] = "[ ]",     [REQ_ADVISE] = "[!]", [REQ_OPTIONAL] = "[ ]",
        [REQ_REQUIRED] = "[x]", [REQ_MUST] = "[x]",
    };

    for (size_t i = 0; i < COUNT(SHOWN); i++) {
        enum requirement need = need_of(&o->policy.policy, SHOWN[i].id);
        struct option_row *r = row_add(o, OPTION_NOTE);

        r->role = need == REQ_ADVISE ? ROLE_WARN : ROLE_TEXT;
        snprintf(r->label, sizeof r->label, "%s %s", MARK[need], SHOWN[i].words);
        snprintf(r->note, sizeof r->note, "%s", WORD[need]);
    }
}

/* "9f3c 71d0, 41aa 0c12": enough to tell them apart. */
static void row_endorsers(struct options *o) {
    const struct option_policy *p = &o->policy;
    struct option_row *r = row_add(o, OPTION_NOTE);
    size_t at = 0;

    for (size_t i = 0; i < p->endorsers && i < OPTION_ENDORSERS; i++)
        at += (size_t)snprintf(r->label + at, sizeof r->label - at, "%s%.9s", i ? ", " : "  ",
                               p->endorser[i]);
    r->role = ROLE_DIM;
}

static void rows_trust(struct options *o, int64_t now) {
    const struct option_policy *p = &o->policy;

    note(o, "endorsers pinned", "%zu, %zu must agree", p->endorsers, p->agree);
    if (p->endorsers > 0)
        row_endorsers(o);
    note(o, "manifests pinned", "%zu", p->digests);
    note(o, "firmware floors", "as of %s; %zu of yours, %zu of endorsers", ADVISORY_DATE,
         p->policy.n_floors, p->floors);
    if (p->collateral > 0)
        note(o, "AMD's certificates", "kept here, %" PRId64 " d old",
             (now - p->collateral) / 86400);
    else
        note(o, "AMD's certificates", "none kept; the provider brings them");
}

/* --- all --- */

static struct option_row *row_who(struct options *o, const char *label, bool on) {
    struct option_row *r = row_add(o, OPTION_WHO);

    r->on = on;
    snprintf(r->label, sizeof r->label, "%s", label);
    return r;
}

static void row_identity(struct options *o, const struct identity *id, bool chosen) {
    struct option_row *r = row_who(o, id->name, chosen);

    r->who = id->name;
    npub_short(id->pub, r->value);
    snprintf(r->note, sizeof r->note, "%s%s", id->signer ? "signer, " : "",
             id->unlocked ? "unlocked" : "locked");
}

/* What stands before a job is started: who the seller will know it is. */
static void rows_identity(struct options *o, const struct identities *l) {
    const struct identity *chosen = l ? identities_chosen(l) : NULL;

    head(o, "IDENTITY");
    snprintf(row_who(o, "One-time", !chosen)->note, sizeof o->row->note, "a new key for every job");
    if (!l)
        return;
    for (size_t i = 0; i < identities_count(l); i++)
        row_identity(o, identities_at(l, i), identities_at(l, i) == chosen);
    snprintf(row_add(o, OPTION_MAKE)->label, sizeof o->row->label, "make a key that is kept here");
    snprintf(row_add(o, OPTION_IMPORT)->label, sizeof o->row->label,
             "import nsec or ncryptsec (hidden input)");
    snprintf(row_add(o, OPTION_SIGNER)->label, sizeof o->row->label,
             "use a remote signer (bunker://)");
}

static void left_column(struct options *o, struct settings *s, const struct identities *l) {
    rows_identity(o, l);
    head(o, "RELAYS");
    snprintf(o->row[o->n - 1].note, sizeof o->row->note, "state     ping events");
    rows_list(o, s, settings_key("relay"), "add a relay");
    head(o, "BLOB SERVERS for large files");
    rows_list(o, s, settings_key("blossom"), "add a server");
    head(o, "KEYS OF YOUR OWN");
    rows_list(o, s, settings_key("bind"), "bind a key");
    head(o, "HISTORY");
    note(o, "transcripts", "memory only, gone on quit");
    note(o, "verdicts", "who was verified and when; no content");
    rows_group(o, s, SETTING_HISTORY);
}

static void right_column(struct options *o, struct settings *s, const struct option_places *p,
                         const char *given, int64_t now) {
    head(o, "POLICY");
    if (given)
        note(o, "this run", "%s, from the command line", given);
    rows_group(o, s, SETTING_POLICY);
    rows_demands(o);
    rows_trust(o, now);
    head(o, "DISPLAY");
    rows_group(o, s, SETTING_DISPLAY);
    head(o, "FILES");
    note(o, "config", "%s", p->config);
    note(o, "state", "%s", p->state);
    note(o, "receipts", "%s", p->receipts);
    note(o, "downloads", "%s; asked each time", p->folder);
    rows_group(o, s, SETTING_FILES);
}

static bool can_choose(const struct option_row *r) {
    return r->kind != OPTION_HEAD && r->kind != OPTION_NOTE;
}

const struct option_row *options_at(const struct options *o) {
    return o->cur < o->n && can_choose(&o->row[o->cur]) ? &o->row[o->cur] : NULL;
}

/* The nearest row that can be chosen, downwards first. */
static void settle(struct options *o) {
    size_t at = o->cur < o->n ? o->cur : o->n - 1, i = at;

    while (i < o->n && !can_choose(&o->row[i]))
        i++;
    while (i >= o->n || !can_choose(&o->row[i]))
        i = i >= o->n ? at : i - 1;
    o->cur = i;
}

void options_fill(struct options *o, struct settings *s, const struct identities *l,
                  const struct option_places *p, const char *given, int64_t now) {
    o->n = o->right = 0;
    left_column(o, s, l);
    o->right = o->n;
    right_column(o, s, p, given, now);
    settle(o);
}

static void step(struct options *o, int by) {
    size_t i = o->cur;

    do {
        if ((by < 0 && i == 0) || (by > 0 && i + 1 == o->n))
            return;
        i = by < 0 ? i - 1 : i + 1;
    } while (!can_choose(&o->row[i]));
    o->cur = i;
}

void options_move(struct options *o, enum list_move m, size_t page) {
    static const int BY[] = {[LIST_UP] = -1,       [LIST_DOWN] = 1, [LIST_PAGE_UP] = -1,
                             [LIST_PAGE_DOWN] = 1, [LIST_TOP] = -1, [LIST_BOTTOM] = 1};
    bool one = m == LIST_UP || m == LIST_DOWN, end = m == LIST_TOP || m == LIST_BOTTOM;
    size_t from = o->cur;

    for (size_t i = 0; i < o->n; i++) {
        size_t gone = o->cur > from ? o->cur - from : from - o->cur;

        if ((one && i == 1) || (!end && gone >= page))
            return;
        step(o, BY[m]);
    }
}

void options_side(struct options *o, bool right) {
    if (right == (o->cur >= o->right))
        return;
    o->cur = right ? o->right : 0;
    settle(o);
}

/* A heading just above the first row that can be chosen comes into sight with it. */
static size_t in_sight(size_t top, size_t cur, size_t n, size_t height) {
    if (cur < top + 2)
        top = cur < 2 ? 0 : cur - 2;
    if (cur >= top + height)
        top = cur - height + 1;
    if (top + height > n)
        top = n > height ? n - height : 0;
    return top;
}

void options_show(struct options *o, size_t height, bool two) {
    if (height == 0)
        height = 1;
    if (!two)
        o->top[0] = in_sight(o->top[0], o->cur, o->n, height);
    else if (o->cur < o->right)
        o->top[0] = in_sight(o->top[0], o->cur, o->right, height);
    else
        o->top[1] = in_sight(o->top[1], o->cur - o->right, o->n - o->right, height);
}
