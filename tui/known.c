#include "tui/known.h"

#include <stdlib.h>
#include <string.h>

#include "core/enc.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/text.h"
#include "tui/statefile.h"

#define LINE_MAX_KNOWN ((size_t)16384)
#define CHECK_ID 64
#define DAY ((int64_t)86400)

struct acceptance {
    uint8_t provider[32], release[32], value[32];
    uint8_t chip[64];
    size_t chip_len;
    int64_t when;
    char check[CHECK_ID];
};

struct known {
    struct statefile file;
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
    for (size_t i = k->n_last; i-- > 0;)
        if (same_machine(&k->last[i], f))
            last_drop(k, i);
    if (k->n_last == KNOWN_ROWS)
        last_drop(k, 0);
    k->last = mem_grow(k->last, (k->n_last + 1) * sizeof *k->last);
    k->last[k->n_last++] = *f;
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

/* Of an age that is still kept: what is too old is read, and gone when the file is next written. */
static bool still(const struct known *k, int64_t when) {
    return k->now - when < k->days * DAY;
}

static bool last_read(struct known *k, const cJSON *o) {
    struct facts f = {0};

    if (!head_get(o, f.provider, &f.when) || !json_bool(o, "simulated", &f.simulated, NULL) ||
        !chip_get(o, f.chip, &f.chip_len))
        return false;
    for (enum fact i = 0; i < FACT_COUNT; i++)
        if (!text_get(o, fact_key(i), f.text[i], FACT_TEXT))
            return false;
    if (still(k, f.when))
        last_put(k, &f);
    return true;
}

static bool acc_read(struct known *k, const cJSON *o) {
    struct acceptance a = {0};

    if (!head_get(o, a.provider, &a.when) || !json_hex(o, "release", a.release, 32, NULL) ||
        !json_hex(o, "value", a.value, 32, NULL) || !chip_get(o, a.chip, &a.chip_len) ||
        !text_get(o, "check", a.check, sizeof a.check))
        return false;
    if (still(k, a.when))
        acc_put(k, &a);
    return true;
}

static bool take(void *arg, struct view line) {
    cJSON *o = json_parse(line, LINE_MAX_KNOWN, NULL);
    const char *t = o ? json_opt(o, "t") : NULL;
    bool read = t && (!strcmp(t, "last")     ? last_read(arg, o)
                      : !strcmp(t, "accept") ? acc_read(arg, o)
                                             : false);

    cJSON_Delete(o);
    return read;
}

struct known *known_new(const char *path, int64_t now, unsigned days, struct err *note) {
    struct known *k = mem_new(sizeof *k);

    k->now = now;
    k->days = days;
    statefile_init(&k->file, days ? path : NULL);
    if (statefile_read(&k->file, take, k, note) != 0)
        err_wrap(note, "verdicts");
    return k;
}

static void rows_free(struct known *k) {
    free(k->last);
    free(k->acc);
    k->last = NULL;
    k->acc = NULL;
    k->n_last = k->n_acc = 0;
}

void known_free(struct known *k) {
    if (!k)
        return;
    statefile_free(&k->file);
    rows_free(k);
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

/* The rows become those of the file: another cdvm may have remembered and forgotten. */
static int begin(struct known *k, struct err *e) {
    struct known mine = *k;

    if (!k->file.path)
        return 0;
    k->last = NULL;
    k->acc = NULL;
    k->n_last = k->n_acc = 0;
    if (statefile_begin(&k->file, take, k, e) == 0) {
        rows_free(&mine);
        return 0;
    }
    rows_free(k);
    k->last = mine.last;
    k->n_last = mine.n_last;
    k->acc = mine.acc;
    k->n_acc = mine.n_acc;
    return -1;
}

static int end(struct known *k, struct err *e) {
    cleanup_buf struct buf text = {0};

    buf_add(&text, "", 0);
    known_text(k, &text);
    return statefile_end(&k->file, buf_view(&text), e);
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
    const struct facts copy = *f; /* it may be one of ours */

    last_put(k, &copy); /* this run knows, whatever follows */
    if (begin(k, e) != 0)
        return err_wrap(e, "cannot remember what was verified");
    last_put(k, &copy);
    return end(k, e) ? err_wrap(e, "cannot remember what was verified") : 0;
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

/* By the clock of the verdict that asks: a program may have run for long since it read the file,
 * and what was accepted after today was so by a clock that went wrong. */
static bool acc_holds(const struct known *k, int64_t when, int64_t now) {
    return when <= now + DAY && (k->days == 0 || now - when < k->days * DAY);
}

int64_t known_accepted(const struct known *k, const struct facts *f, const struct check *c) {
    const struct acceptance a = acc_of(f, c);

    for (size_t i = 0; acc_may(f, c) && i < k->n_acc; i++)
        if (acc_same(&k->acc[i], &a))
            return acc_holds(k, k->acc[i].when, f->when) ? k->acc[i].when : 0;
    return 0;
}

int known_accept(struct known *k, const struct facts *f, const struct check *c, struct err *e) {
    const struct acceptance a = acc_of(f, c);

    if (!acc_may(f, c))
        return err_set(e, "not-remembered",
                       "only a warning about a machine that can be told from others is remembered");
    acc_put(k, &a);
    if (begin(k, e) != 0)
        return err_wrap(e, "cannot remember what was accepted");
    acc_put(k, &a);
    return end(k, e) ? err_wrap(e, "cannot remember what was accepted") : 0;
}

int known_forget(struct known *k, const struct facts *f, const struct check *c, struct err *e) {
    int n = 0;

    if (begin(k, e) != 0)
        return err_wrap(e, "cannot forget");
    for (size_t i = k->n_acc; i-- > 0;)
        if (!memcmp(k->acc[i].provider, f->provider, 32) &&
            (!c || !strcmp(k->acc[i].check, c->id))) {
            acc_drop(k, i);
            n++;
        }
    return end(k, e) ? err_wrap(e, "cannot forget") : n;
}

int known_forget_provider(struct known *k, const uint8_t provider[static 32], struct err *e) {
    if (begin(k, e) != 0)
        return err_wrap(e, "cannot forget");
    for (size_t i = k->n_acc; i-- > 0;)
        if (!memcmp(k->acc[i].provider, provider, 32))
            acc_drop(k, i);
    for (size_t i = k->n_last; i-- > 0;)
        if (!memcmp(k->last[i].provider, provider, 32))
            last_drop(k, i);
    return end(k, e) ? err_wrap(e, "cannot forget") : 0;
}

size_t known_of_provider(const struct known *k, const uint8_t provider[static 32]) {
    size_t n = 0;

    for (size_t i = 0; i < k->n_acc; i++)
        n += !memcmp(k->acc[i].provider, provider, 32);
    for (size_t i = 0; i < k->n_last; i++)
        n += !memcmp(k->last[i].provider, provider, 32);
    return n;
}

size_t known_acceptances(const struct known *k) {
    return k->n_acc;
}
