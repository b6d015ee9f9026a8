#include "tui/known.h"

#include <stdlib.h>
#include <string.h>

#include "core/enc.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/text.h"

#define KNOWN_FILE_MAX ((size_t)4 << 20)
#define LINE_MAX_KNOWN ((size_t)16384)
#define CHECK_ID 64

struct acceptance {
    uint8_t provider[32], release[32], value[32];
    uint8_t chip[64];
    size_t chip_len;
    int64_t when;
    char check[CHECK_ID];
};

struct known {
    char *path;
    int64_t now; /* of the start, for ages */
    unsigned days;
    struct facts *last; /* oldest first */
    size_t n_last;
    struct acceptance *acc; /* oldest first */
    size_t n_acc;
};

/* --- rows --- */

static bool same_machine(const struct facts *a, const struct facts *b) {
    return !memcmp(a->provider, b->provider, 32) && a->chip_len == b->chip_len &&
           !memcmp(a->chip, b->chip, a->chip_len);
}

static void last_drop(struct known *k, size_t i) {
    memmove(k->last + i, k->last + i + 1, (k->n_last - i - 1) * sizeof *k->last);
    k->n_last--;
}

static void last_put(struct known *k, const struct facts *f) {
    const struct facts copy = *f; /* it may be one of ours */

    for (size_t i = k->n_last; i-- > 0;)
        if (same_machine(&k->last[i], &copy))
            last_drop(k, i);
    if (k->n_last == KNOWN_ROWS)
        last_drop(k, 0);
    k->last = mem_grow(k->last, (k->n_last + 1) * sizeof *k->last);
    k->last[k->n_last++] = copy;
}

static void acc_drop(struct known *k, size_t i) {
    memmove(k->acc + i, k->acc + i + 1, (k->n_acc - i - 1) * sizeof *k->acc);
    k->n_acc--;
}

static bool acc_same(const struct acceptance *a, const struct acceptance *b) {
    return !memcmp(a->provider, b->provider, 32) && !memcmp(a->release, b->release, 32) &&
           !memcmp(a->value, b->value, 32) && a->chip_len == b->chip_len &&
           !memcmp(a->chip, b->chip, a->chip_len) && !strcmp(a->check, b->check);
}

static void acc_put(struct known *k, const struct acceptance *a) {
    for (size_t i = k->n_acc; i-- > 0;)
        if (acc_same(&k->acc[i], a))
            acc_drop(k, i);
    if (k->n_acc == KNOWN_ROWS)
        acc_drop(k, 0);
    k->acc = mem_grow(k->acc, (k->n_acc + 1) * sizeof *k->acc);
    k->acc[k->n_acc++] = *a;
}

/* --- reading --- */

/* Printable ASCII of a length that fits, as this program writes it. */
static bool text_get(const cJSON *o, const char *key, char *out, size_t n) {
    const char *s = json_opt(o, key);

    if (!s || strlen(s) >= n || !text_ascii_printable(view_str(s)))
        return false;
    memcpy(out, s, strlen(s) + 1);
    return true;
}

/* "" and 1 to 64 bytes of hex. */
static bool chip_get(const cJSON *o, uint8_t chip[static 64], size_t *len) {
    const char *s = json_opt(o, "chip");
    size_t n = s && strcmp(s, "unknown") != 0 ? strlen(s) / 2 : 0;

    *len = n;
    return s && n <= 64 && (n == 0 || hex_decode_str(s, chip, n));
}

static bool head_get(const cJSON *o, uint8_t provider[static 32], int64_t *when) {
    uint64_t at;

    if (!json_hex(o, "provider", provider, 32, NULL) || !json_u64(o, "when", &at, NULL))
        return false;
    *when = (int64_t)at;
    return true;
}

static void last_read(struct known *k, const cJSON *o) {
    struct facts f = {0};

    if (!head_get(o, f.provider, &f.when) || !json_bool(o, "simulated", &f.simulated, NULL) ||
        !chip_get(o, f.chip, &f.chip_len))
        return;
    for (enum fact i = 0; i < FACT_COUNT; i++)
        if (!text_get(o, fact_key(i), f.text[i], FACT_TEXT))
            return;
    if (k->now - f.when < (int64_t)k->days * 86400)
        last_put(k, &f);
}

static void acc_read(struct known *k, const cJSON *o) {
    struct acceptance a = {0};

    if (head_get(o, a.provider, &a.when) && json_hex(o, "release", a.release, 32, NULL) &&
        json_hex(o, "value", a.value, 32, NULL) && chip_get(o, a.chip, &a.chip_len) &&
        text_get(o, "check", a.check, sizeof a.check) && k->now - a.when < (int64_t)k->days * 86400)
        acc_put(k, &a);
}

static void line_read(struct known *k, struct view line) {
    cJSON *o = json_parse(line, LINE_MAX_KNOWN, NULL);
    const char *t = o ? json_opt(o, "t") : NULL;

    if (t && !strcmp(t, "last"))
        last_read(k, o);
    else if (t && !strcmp(t, "accept"))
        acc_read(k, o);
    cJSON_Delete(o);
}

static void known_parse(struct known *k, struct view text) {
    while (text.n) {
        const uint8_t *nl = memchr(text.p, '\n', text.n);
        size_t n = nl ? (size_t)(nl - text.p) : text.n;

        line_read(k, view_of(text.p, n));
        text = view_of(text.p + n + (nl != NULL), text.n - n - (nl != NULL));
    }
}

struct known *known_new(const char *path, int64_t now, unsigned days) {
    struct known *k = mem_new(sizeof *k);
    cleanup_buf struct buf text = {0};

    k->path = days ? mem_str(path) : NULL;
    k->now = now;
    k->days = days;
    if (k->path && file_read(path, KNOWN_FILE_MAX, &text, NULL) == 0)
        known_parse(k, buf_view(&text));
    return k;
}

void known_free(struct known *k) {
    if (!k)
        return;
    free(k->path);
    free(k->last);
    free(k->acc);
    free(k);
}

/* --- writing --- */

static void put_chip(struct jw *w, const uint8_t *chip, size_t n) {
    if (n)
        jw_khex(w, "chip", view_of(chip, n));
    else
        jw_kstr(w, "chip", "unknown");
}

static void put_last(struct jw *w, const struct facts *f) {
    jw_obj(w);
    jw_kstr(w, "t", "last");
    jw_khex(w, "provider", view_of(f->provider, 32));
    jw_kint(w, "when", f->when);
    jw_kbool(w, "simulated", f->simulated);
    for (enum fact i = 0; i < FACT_COUNT; i++)
        jw_kstr(w, fact_key(i), f->text[i]);
    jw_end_obj(w);
}

static void put_acc(struct jw *w, const struct acceptance *a) {
    jw_obj(w);
    jw_kstr(w, "t", "accept");
    jw_khex(w, "provider", view_of(a->provider, 32));
    jw_kint(w, "when", a->when);
    jw_khex(w, "release", view_of(a->release, 32));
    put_chip(w, a->chip, a->chip_len);
    jw_kstr(w, "check", a->check);
    jw_khex(w, "value", view_of(a->value, 32));
    jw_end_obj(w);
}

static void known_text(const struct known *k, struct buf *out) {
    for (size_t i = 0; i < k->n_last; i++) {
        struct jw w = jw_new(out);

        put_last(&w, &k->last[i]);
        buf_str(out, "\n");
    }
    for (size_t i = 0; i < k->n_acc; i++) {
        struct jw w = jw_new(out);

        put_acc(&w, &k->acc[i]);
        buf_str(out, "\n");
    }
}

static int known_write(const struct known *k, struct err *e) {
    cleanup_buf struct buf text = {0};

    if (!k->path)
        return 0;
    known_text(k, &text);
    if (file_write(k->path, buf_view(&text), 0600, true, e) != 0)
        return err_wrap(e, "cannot remember what was verified");
    return 0;
}

/* --- what others ask --- */

const struct facts *known_last(const struct known *k, const struct facts *like) {
    const struct facts *other = NULL;

    for (size_t i = k->n_last; i-- > 0;) {
        const struct facts *f = &k->last[i];

        if (same_machine(f, like))
            return f;
        if (!other && !memcmp(f->provider, like->provider, 32))
            other = f;
    }
    return other;
}

int known_put(struct known *k, const struct facts *f, struct err *e) {
    last_put(k, f);
    return known_write(k, e);
}

/* What an acceptance is about: the fingerprint of the value, so that the file tells little. */
static struct acceptance acc_of(const struct facts *f, const struct check *c) {
    struct acceptance a = {.when = f->when, .chip_len = f->chip_len};

    memcpy(a.provider, f->provider, 32);
    (void)!hex_decode_str(f->text[FACT_RELEASE], a.release, 32);
    memcpy(a.chip, f->chip, f->chip_len);
    sha256(view_str(c->got), a.value);
    strncpy(a.check, c->id, sizeof a.check - 1);
    return a;
}

/* A machine that cannot be told from others is not one that was accepted before. */
static bool acc_may(const struct facts *f, const struct check *c) {
    uint8_t release[32];

    return !f->simulated && f->chip_len > 0 && c->state == CHECK_WARN && strlen(c->id) < CHECK_ID &&
           hex_decode_str(f->text[FACT_RELEASE], release, 32);
}

int64_t known_accepted(const struct known *k, const struct facts *f, const struct check *c) {
    const struct acceptance a = acc_of(f, c);

    for (size_t i = 0; acc_may(f, c) && i < k->n_acc; i++)
        if (acc_same(&k->acc[i], &a))
            return k->acc[i].when;
    return 0;
}

int known_accept(struct known *k, const struct facts *f, const struct check *c, struct err *e) {
    const struct acceptance a = acc_of(f, c);

    if (!acc_may(f, c))
        return err_set(e, "not-remembered",
                       "only a warning about a machine that can be told from others is remembered");
    acc_put(k, &a);
    return known_write(k, e);
}

int known_forget(struct known *k, const struct facts *f, const struct check *c, struct err *e) {
    int n = 0;

    for (size_t i = k->n_acc; i-- > 0;)
        if (!memcmp(k->acc[i].provider, f->provider, 32) &&
            (!c || !strcmp(k->acc[i].check, c->id))) {
            acc_drop(k, i);
            n++;
        }
    return n && known_write(k, e) ? -1 : n;
}

size_t known_acceptances(const struct known *k) {
    return k->n_acc;
}
