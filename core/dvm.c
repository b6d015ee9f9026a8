#include "dvm.h"

#include <stdlib.h>
#include <string.h>

#include "enc.h"
#include "text.h"

static const char *const phases[] = {
    [PHASE_NONE] = "none",       [PHASE_QUEUED] = "queued",       [PHASE_CREATING] = "creating",
    [PHASE_BOOTING] = "booting", [PHASE_ATTESTING] = "attesting", [PHASE_PAYMENT] = "payment",
    [PHASE_SERVING] = "serving", [PHASE_WIPING] = "wiping",       [PHASE_DONE] = "done",
};
static const char *const statuses[] = {
    [JOB_PAYMENT_REQUIRED] = "payment-required",
    [JOB_PROCESSING] = "processing",
    [JOB_ERROR] = "error",
    [JOB_SUCCESS] = "success",
};

const char *job_phase_name(enum job_phase p) {
    return (size_t)p < COUNT(phases) ? phases[p] : "unknown";
}

bool decimal_parse(const char *s, uint64_t *out) {
    size_t n = strspn(s, "0123456789");
    uint64_t v = 0;

    if (n == 0 || n > 16 || s[n] != '\0' || (n > 1 && s[0] == '0'))
        return false;
    for (size_t i = 0; i < n; i++)
        v = v * 10 + (uint64_t)(s[i] - '0');
    if (v > (uint64_t)JSON_INT_MAX)
        return false;
    *out = v;
    return true;
}

bool url_form_ok(const char *s, const char *plain) {
    size_t n = strlen(plain);

    if (strlen(s) > 255 || strncmp(s, plain, n) != 0)
        return false;
    for (const char *c = s; *c; c++)
        if (*c <= 0x20 || *c > 0x7e || strchr("\"\\<>`", *c))
            return false;
    s += n;
    if (*s == 's')
        s++;
    return strncmp(s, "://", 3) == 0 && s[3] != '\0' && s[3] != '/' && s[3] != ':';
}

void text_clip(char *dst, size_t cap, const char *s) {
    cleanup_free char *safe = text_safe_new(view_str(s), TEXT_LINE, cap);
    size_t n = strlen(safe);

    if (n >= cap) /* step back over continuation bytes */
        for (n = cap - 1; n > 0 && ((uint8_t)safe[n] & 0xc0) == 0x80; n--)
            ;
    memcpy(dst, safe, n);
    dst[n] = '\0';
}

static void add_hex(struct fields *f, const char *name, const uint8_t v[static 32]) {
    char hex[65];

    hex_encode(view_of(v, 32), hex);
    fields_add(f, name, hex);
}

static void add_u64(struct fields *f, const char *name, uint64_t v) {
    cleanup_free char *s = mem_fmt("%llu", (unsigned long long)v);

    fields_add(f, name, s);
}

/* --- request --- */

struct rumor *job_request_make(struct job_request *q, const struct keypair *u, int64_t now,
                               struct err *e) {
    struct fields f = fields_new(q->kind, now, (struct view){0});
    struct rumor *r;
    struct job_request check;

    add_hex(&f, "p", q->provider);
    add_hex(&f, "e", q->offer);
    for (size_t i = 0; i < q->n_relays; i++)
        fields_add(&f, "relay", q->relays[i]);
    add_hex(&f, "nonce", q->nonce);
    add_u64(&f, "expires", (uint64_t)q->expires);
    add_u64(&f, "max", q->max_msat);
    for (size_t i = 0; i < q->n_params; i++)
        fields_add(&f, "param", q->params[i].key, q->params[i].value);
    if (*q->introduction)
        fields_add(&f, "introduction", q->introduction);
    r = rumor_padded(&f, keypair_pub(u), e);
    if (!r)
        return NULL;
    if (job_request_parse(r, now, &check, e)) { /* what we would refuse we do not send */
        rumor_free(r);
        return NULL;
    }
    memcpy(q->id, r->f.id, 32);
    memcpy(q->customer, r->f.pubkey, 32);
    return r;
}

static int take_hex(const struct tag *t, uint8_t out[static 32], struct err *e) {
    if (t->n < 2 || !hex_decode_str(t->v[1], out, 32))
        return err_set(e, "bad-request", "tag %s is not 64 hex digits", t->v[0]);
    return 0;
}

static int take_number(const struct tag *t, uint64_t *out, struct err *e) {
    if (t->n < 2 || !decimal_parse(t->v[1], out))
        return err_set(e, "bad-request", "tag %s is not a whole number", t->v[0]);
    return 0;
}

static int take_p(const struct tag *t, struct job_request *q, struct err *e) {
    return take_hex(t, q->provider, e);
}
static int take_e(const struct tag *t, struct job_request *q, struct err *e) {
    return take_hex(t, q->offer, e);
}
static int take_nonce(const struct tag *t, struct job_request *q, struct err *e) {
    return take_hex(t, q->nonce, e);
}
static int take_max(const struct tag *t, struct job_request *q, struct err *e) {
    return take_number(t, &q->max_msat, e);
}

static int take_expires(const struct tag *t, struct job_request *q, struct err *e) {
    uint64_t at;

    if (take_number(t, &at, e))
        return -1;
    q->expires = (int64_t)at;
    return 0;
}

static int take_relay(const struct tag *t, struct job_request *q, struct err *e) {
    if (q->n_relays == JOB_RELAYS_MAX)
        return err_set(e, "bad-request", "more than %d relays", JOB_RELAYS_MAX);
    if (t->n < 2 || !url_form_ok(t->v[1], "ws"))
        return err_set(e, "bad-request", "a relay that is not a ws:// or wss:// address");
    for (size_t i = 0; i < q->n_relays; i++)
        if (!strcmp(q->relays[i], t->v[1]))
            return err_set(e, "bad-request", "the relay %s is named twice", t->v[1]);
    memcpy(q->relays[q->n_relays++], t->v[1], strlen(t->v[1]) + 1);
    return 0;
}

static bool param_key_ok(const char *s) {
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.-");

    return n > 0 && n < sizeof(((struct job_param *)0)->key) && s[n] == '\0';
}

static struct job_param *param_slot(struct job_param *list, size_t *n, const char *key) {
    for (size_t i = 0; i < *n; i++)
        if (!strcmp(list[i].key, key))
            return &list[i];
    return *n < JOB_PARAMS_MAX ? &list[(*n)++] : NULL;
}

int job_param_put(const char *key_value, struct job_param *list, size_t *n, struct err *e) {
    const char *eq = strchr(key_value, '=');
    cleanup_free char *key = mem_strn(key_value, eq ? (size_t)(eq - key_value) : 0);
    struct job_param *p;

    if (!eq || !param_key_ok(key))
        return err_set(e, "bad-request",
                       "a parameter is KEY=VALUE, where KEY has small letters, digits, '_', '.' "
                       "and '-'");
    if (strlen(eq + 1) >= sizeof p->value)
        return err_set(e, "bad-request", "the value of parameter '%s' has more than %zu bytes", key,
                       sizeof p->value - 1);
    p = param_slot(list, n, key);
    if (!p)
        return err_set(e, "bad-request", "more than %d parameters", JOB_PARAMS_MAX);
    memcpy(p->key, key, strlen(key) + 1);
    memcpy(p->value, eq + 1, strlen(eq + 1) + 1);
    return 0;
}

static int take_param(const struct tag *t, struct job_request *q, struct err *e) {
    struct job_param *p = &q->params[q->n_params];

    if (q->n_params == JOB_PARAMS_MAX)
        return err_set(e, "bad-request", "more than %d parameters", JOB_PARAMS_MAX);
    if (t->n < 3 || !param_key_ok(t->v[1]) || strlen(t->v[2]) >= sizeof p->value)
        return err_set(e, "bad-request", "a parameter with a bad name or a long value");
    if (job_param(q, t->v[1]))
        return err_set(e, "bad-request", "parameter %s is given twice", t->v[1]);
    memcpy(p->key, t->v[1], strlen(t->v[1]) + 1);
    memcpy(p->value, t->v[2], strlen(t->v[2]) + 1);
    q->n_params++;
    return 0;
}

static int take_introduction(const struct tag *t, struct job_request *q, struct err *e) {
    if (*q->introduction)
        return err_set(e, "bad-request", "tag introduction is given twice");
    if (t->n != 2 || !*t->v[1] || strlen(t->v[1]) >= sizeof q->introduction)
        return err_set(e, "bad-request", "an introduction that is none");
    memcpy(q->introduction, t->v[1], strlen(t->v[1]) + 1);
    return 0;
}

/* Every tag that means something; others are left for later versions. `once`: exactly one. */
static const struct {
    const char *name;
    bool once;
    int (*take)(const struct tag *t, struct job_request *q, struct err *e);
} request_tags[] = {
    {"p", true, take_p},          {"e", true, take_e},
    {"nonce", true, take_nonce},  {"expires", true, take_expires},
    {"max", true, take_max},      {"relay", false, take_relay},
    {"param", false, take_param}, {"introduction", false, take_introduction},
};

static int take_tags(const struct fields *f, size_t row, struct job_request *q, struct err *e) {
    const char *name = request_tags[row].name;
    const struct tag *t;
    size_t n;

    for (n = 0; (t = fields_find(f, name, n)); n++) {
        if (n > 0 && request_tags[row].once)
            return err_set(e, "bad-request", "tag %s is given twice", name);
        if (request_tags[row].take(t, q, e))
            return -1;
    }
    if (n == 0 && request_tags[row].once)
        return err_set(e, "bad-request", "tag %s is missing", name);
    return 0;
}

static int check_time(const struct job_request *q, int64_t now, struct err *e) {
    if (now < 0)
        return 0;
    if (q->expires <= now)
        return err_set(e, "bad-request", "the request has expired");
    if (q->expires > now + JOB_EXPIRES_MAX)
        return err_set(e, "bad-request", "the request expires more than 24 hours ahead");
    return 0;
}

int job_request_parse(const struct rumor *r, int64_t now, struct job_request *out, struct err *e) {
    *out = (struct job_request){.kind = r->f.kind};
    memcpy(out->id, r->f.id, 32);
    memcpy(out->customer, r->f.pubkey, 32);
    if (r->f.kind != KIND_JOB_CHAT && r->f.kind != KIND_JOB_TOOL)
        return err_set(e, "bad-request", "kind %u is no job of this protocol", r->f.kind);
    if (r->f.content_len)
        return err_set(e, "bad-request", "a request carries no content: the provider can read it");
    for (size_t i = 0; i < COUNT(request_tags); i++)
        if (take_tags(&r->f, i, out, e))
            return -1;
    if (out->n_relays == 0)
        return err_set(e, "bad-request", "no relay is named to answer on");
    return check_time(out, now, e);
}

const char *job_param(const struct job_request *q, const char *key) {
    for (size_t i = 0; i < q->n_params; i++)
        if (!strcmp(q->params[i].key, key))
            return q->params[i].value;
    return NULL;
}

struct rumor *job_cancel_make(const struct job_request *q, const struct keypair *u, int64_t now) {
    struct fields f = fields_new(KIND_DELETE, now, (struct view){0});

    add_hex(&f, "p", q->provider);
    add_hex(&f, "e", q->id);
    add_u64(&f, "k", q->kind);
    return rumor_padded(&f, keypair_pub(u), NULL);
}

int job_cancel_parse(const struct rumor *r, uint8_t job[static 32], struct err *e) {
    if (r->f.kind != KIND_DELETE || !hex_decode_str(fields_get(&r->f, "e", 1), job, 32))
        return err_set(e, "bad-request", "a cancellation that names no job");
    return 0;
}

/* --- feedback --- */

static void add_details(struct fields *f, const struct job_feedback *fb) {
    cleanup_free char *amount = NULL;

    switch (fb->status) {
    case JOB_PROCESSING:
        fields_add(f, "phase", job_phase_name(fb->phase));
        break;
    case JOB_ERROR:
        fields_add(f, "code", fb->code);
        break;
    case JOB_PAYMENT_REQUIRED:
        amount = mem_fmt("%llu", (unsigned long long)fb->amount_msat);
        fields_add(f, "amount", amount, fb->invoice);
        break;
    case JOB_SUCCESS:
        break;
    }
    if (fb->has_guest)
        add_hex(f, "guest", fb->guest);
}

struct rumor *job_feedback_make(const struct job_feedback *f, const struct keypair *p,
                                const uint8_t customer[static 32], int64_t now) {
    struct fields out = fields_new(KIND_FEEDBACK, now, (struct view){0});

    add_hex(&out, "p", customer);
    add_hex(&out, "e", f->job);
    fields_add(&out, "status", statuses[f->status], f->text);
    add_details(&out, f);
    return rumor_padded(&out, keypair_pub(p), NULL);
}

static bool index_of(const char *const *names, size_t n, const char *s, unsigned *out) {
    for (size_t i = 0; s && i < n; i++)
        if (!strcmp(names[i], s)) {
            *out = (unsigned)i;
            return true;
        }
    return false;
}

static bool code_ok(const char *s) {
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return n > 0 && n < sizeof(((struct job_feedback *)0)->code) && s[n] == '\0';
}

static int take_amount(const struct fields *f, struct job_feedback *out, struct err *e) {
    const char *amount = fields_get(f, "amount", 1), *invoice = fields_get(f, "amount", 2);

    if (!amount || !decimal_parse(amount, &out->amount_msat) || !invoice ||
        strlen(invoice) >= sizeof out->invoice || !text_ascii_printable(view_str(invoice)))
        return err_set(e, "bad-message", "feedback asks for payment without amount and invoice");
    memcpy(out->invoice, invoice, strlen(invoice) + 1);
    return 0;
}

static int take_details(const struct fields *f, struct job_feedback *out, struct err *e) {
    const char *code = fields_get(f, "code", 1);
    unsigned phase = PHASE_NONE;

    switch (out->status) {
    case JOB_PROCESSING: /* a phase of a later version is none of ours */
        (void)index_of(phases, COUNT(phases), fields_get(f, "phase", 1), &phase);
        out->phase = (enum job_phase)phase;
        return 0;
    case JOB_ERROR:
        memcpy(out->code, "error", 6);
        if (code && code_ok(code))
            memcpy(out->code, code, strlen(code) + 1);
        return 0;
    case JOB_PAYMENT_REQUIRED:
        return take_amount(f, out, e);
    case JOB_SUCCESS:
        return 0;
    }
    return 0;
}

int job_feedback_parse(const struct rumor *r, struct job_feedback *out, struct err *e) {
    const char *text = fields_get(&r->f, "status", 2), *guest = fields_get(&r->f, "guest", 1);
    unsigned status;

    *out = (struct job_feedback){0};
    if (r->f.kind != KIND_FEEDBACK)
        return err_set(e, "bad-message", "kind %u is no feedback", r->f.kind);
    if (!hex_decode_str(fields_get(&r->f, "e", 1), out->job, 32))
        return err_set(e, "bad-message", "feedback that names no job");
    if (!index_of(statuses, COUNT(statuses), fields_get(&r->f, "status", 1), &status))
        return err_set(e, "bad-message", "feedback without a known status");
    out->status = (enum job_status)status;
    if (text)
        text_clip(out->text, sizeof out->text, text);
    if (guest && !hex_decode_str(guest, out->guest, 32))
        return err_set(e, "bad-message", "feedback names a guest that is no key");
    out->has_guest = guest != NULL;
    return take_details(&r->f, out, e);
}
