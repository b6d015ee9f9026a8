/* The list: who is alive, what was proven, who resembles whom; in order, and filtered. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/enc.h"
#include "tui/shelf_priv.h"

#define WORDS_MAX 40 /* of a filter, which has 80 characters */

/* --- names that are known here --- */

static void known_add(struct shelf *s, uint64_t look, const uint8_t *key, enum twin why) {
    if (look == 0)
        return;
    s->known = mem_grow(s->known, (s->n_known + 1) * sizeof *s->known);
    s->known[s->n_known++] = (struct known_name){look, key, why};
}

/* A job that failed gives no name a good sound. */
static bool sounds_good(enum proof_state s) {
    return s == PROOF_PASS || s == PROOF_WARN || s == PROOF_SIMULATED;
}

static void known_make(struct shelf *s, const struct shelf_ask *ask) {
    const struct mark_row *m;
    const struct proven_job *j;

    s->n_known = 0;
    for (size_t i = 0; (m = marks_at(ask->marks, i)); i++)
        if (m->mark == MARK_FAVOURITE)
            known_add(s, shelf_look(m->name, s->salt), m->key, TWIN_FAVOURITE);
    for (size_t i = 0; (j = proven_at(ask->proven, i)); i++)
        if (sounds_good(j->proof.state))
            known_add(s, shelf_look(j->name, s->salt), j->provider, TWIN_HISTORY);
}

/* --- rows as of today --- */

static void judge(struct kept *k, const struct shelf_ask *ask) {
    k->row.proof = proven_get(ask->proven, k->row.pubkey);
    k->row.mark = marks_get(ask->marks, k->row.pubkey);
    k->judged = true;
}

static void hear(const struct shelf *s, struct shelf_row *r, int64_t now) {
    const struct heartbeat *h = shelf_beat_of(s, r->pubkey);

    r->alive = shelf_is_alive(h, now);
    r->seen = h ? h->created_at : 0;
    r->free_slots = h ? h->free_slots : 0;
    r->queue = h ? h->queue : 0;
}

static void refresh(struct shelf *s, const struct shelf_ask *ask) {
    bool all = s->known_proven != proven_version(ask->proven) ||
               s->known_marks != marks_version(ask->marks);

    if (all) {
        known_make(s, ask);
        s->known_proven = proven_version(ask->proven);
        s->known_marks = marks_version(ask->marks);
        s->sorted = s->twins = false;
    }
    for (size_t i = 0; i < s->n; i++)
        if (all || !s->all[i]->judged)
            judge(s->all[i], ask);
    if (s->sorted && s->now == ask->now)
        return;
    for (size_t i = 0; i < s->n; i++)
        hear(s, &s->all[i]->row, ask->now);
}

/* --- twins --- */

static int by_look(const void *pa, const void *pb) {
    const struct known_name *a = pa, *b = pb;

    if (a->look != b->look)
        return a->look < b->look ? -1 : 1;
    return (int)b->why - (int)a->why; /* favourites first, offers last */
}

static bool same_key(const struct known_name *a, const uint8_t *key) {
    return !memcmp(a->key, key, 32);
}

/* Of the group's first n, which are known here: does the key belong to one of them? */
static bool is_known(const struct known_name *group, size_t n, const uint8_t *key) {
    for (size_t i = 0; i < n; i++)
        if (same_key(&group[i], key))
            return true;
    return false;
}

/* Names that look alike: the known ones are who they are, the others resemble the best known; where
 * none is known each resembles another. */
static void group_judge(struct known_name *group, size_t n) {
    size_t n_known = 0, other = 0;

    while (n_known < n && group[n_known].why != TWIN_OFFER)
        n_known++;
    while (n_known == 0 && other < n && same_key(&group[0], group[other].key))
        other++;
    for (size_t i = n_known; i < n; i++) {
        /* the key is the first member of its row */
        struct shelf_row *r = (struct shelf_row *)(uintptr_t)group[i].key;
        const struct known_name *like = n_known ? &group[0]
                                        : other < n && same_key(&group[0], r->pubkey)
                                            ? &group[other]
                                            : &group[0];

        if (is_known(group, n_known, r->pubkey) || same_key(like, r->pubkey))
            continue;
        r->twin = like->why;
        memcpy(r->twin_key, like->key, 32);
    }
}

static void find_twins(struct shelf *s) {
    struct known_name *g = mem_new((s->n + s->n_known + 1) * sizeof *g);
    size_t n = s->n_known;

    if (n)
        memcpy(g, s->known, n * sizeof *g);
    for (size_t i = 0; i < s->n; i++) {
        s->all[i]->row.twin = TWIN_NONE;
        if (s->all[i]->look)
            g[n++] = (struct known_name){s->all[i]->look, s->all[i]->row.pubkey, TWIN_OFFER};
    }
    qsort(g, n, sizeof *g, by_look);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && g[end].look == g[i].look; end++)
            ;
        group_judge(g + i, end - i);
    }
    free(g);
    s->twins = true;
}

/* --- order --- */

/* PASS first, then warnings, then what was never tried; failures last. */
static unsigned proof_rank(enum proof_state s) {
    static const unsigned RANK[] = {
        [PROOF_PASS] = 0,  [PROOF_WARN] = 1,        [PROOF_SIMULATED] = 2,
        [PROOF_NEVER] = 3, [PROOF_NOT_CHECKED] = 4, [PROOF_FAIL] = 5};

    return RANK[s];
}

static int by_number(uint64_t a, uint64_t b) {
    return (a > b) - (a < b);
}

static int by_proof(const struct shelf_row *a, const struct shelf_row *b) {
    int c = by_number(b->mark == MARK_FAVOURITE, a->mark == MARK_FAVOURITE);

    return c ? c : by_number(proof_rank(a->proof.state), proof_rank(b->proof.state));
}

static int by_price(const struct shelf_row *a, const struct shelf_row *b) {
    return by_number(a->price_msat, b->price_msat);
}

static int by_name(const struct shelf_row *a, const struct shelf_row *b) {
    return strcasecmp(a->what, b->what);
}

static int by_provider(const struct shelf_row *a, const struct shelf_row *b) {
    int c = strcasecmp(a->provider, b->provider);

    return c ? c : memcmp(a->pubkey, b->pubkey, 32);
}

static int by_seen(const struct shelf_row *a, const struct shelf_row *b) {
    return by_number((uint64_t)b->seen, (uint64_t)a->seen);
}

static int by_age(const struct shelf_row *a, const struct shelf_row *b) {
    return by_number((uint64_t)b->created_at, (uint64_t)a->created_at);
}

/* The same orders as the comparisons above, as far as 60 bits go. */
static uint64_t bits(uint64_t v) {
    return v >> 60 ? (UINT64_C(1) << 60) - 1 : v;
}

static uint64_t proof_bits(const struct shelf_row *r) {
    uint64_t rank = proof_rank(r->proof.state) + (r->mark == MARK_FAVOURITE ? 0 : 8);

    return rank << 56 | (r->price_msat >> 56 ? (UINT64_C(1) << 56) - 1 : r->price_msat);
}

static uint64_t price_bits(const struct shelf_row *r) {
    return bits(r->price_msat);
}

/* The first letters, as strcasecmp sees them. */
static uint64_t letters(const char *s) {
    uint64_t v = 0;

    for (int i = 0; i < 7; i++) {
        v = v << 8 | (uint64_t)tolower((unsigned char)*s);
        s += *s != 0;
    }
    return v;
}

static uint64_t name_bits(const struct shelf_row *r) {
    return letters(r->what);
}

static uint64_t provider_bits(const struct shelf_row *r) {
    return letters(r->provider);
}

static uint64_t seen_bits(const struct shelf_row *r) {
    return (UINT64_C(1) << 60) - 1 - bits((uint64_t)r->seen);
}

static uint64_t age_bits(const struct shelf_row *r) {
    return (UINT64_C(1) << 60) - 1 - bits((uint64_t)r->created_at);
}

static const struct {
    const char *name;
    int (*compare)(const struct shelf_row *a, const struct shelf_row *b);
    uint64_t (*bits)(const struct shelf_row *r); /* decides most comparisons at once */
} SORTS[SORT_COUNT] = {
    [SORT_PROVEN] = {"proven, price", by_proof, proof_bits},
    [SORT_PRICE] = {"price", by_price, price_bits},
    [SORT_NAME] = {"model", by_name, name_bits},
    [SORT_PROVIDER] = {"provider", by_provider, provider_bits},
    [SORT_SEEN] = {"seen", by_seen, seen_bits},
    [SORT_AGE] = {"newest", by_age, age_bits},
};

const char *shelf_sort_name(enum shelf_sort by) {
    return SORTS[by].name;
}

struct place {
    uint64_t bits; /* the top one: away. Who is away comes last, whatever the order */
    struct kept *kept;
};

static int compare(const void *pa, const void *pb, void *arg) {
    const struct place *pla = pa, *plb = pb;
    const struct shelf_row *a = &pla->kept->row, *b = &plb->kept->row;
    int c;

    if (pla->bits != plb->bits)
        return pla->bits < plb->bits ? -1 : 1;
    c = SORTS[*(enum shelf_sort *)arg].compare(a, b);
    if (c == 0)
        c = by_price(a, b);
    return c ? c : memcmp(a->id, b->id, 32);
}

static void sort(struct shelf *s, enum shelf_sort by) {
    struct place *place = mem_new((s->n + 1) * sizeof *place);

    for (size_t i = 0; i < s->n; i++) {
        place[i].kept = s->all[i];
        place[i].bits = SORTS[by].bits(&s->all[i]->row) | (uint64_t)!s->all[i]->row.alive << 63;
    }
    qsort_r(place, s->n, sizeof *place, compare, &by);
    for (size_t i = 0; i < s->n; i++) {
        s->all[i] = place[i].kept;
        s->all[i]->at = i;
    }
    free(place);
    s->by = by;
    s->sorted = true;
}

/* --- filter --- */

/* Case ignored, as ASCII has it. */
static bool row_holds(const struct shelf_row *r, const char *word) {
    const char *const text[] = {r->d,        r->task,  r->what, r->claims,
                                r->provider, r->price, r->name, r->runs};
    char key[17];

    for (size_t i = 0; i < COUNT(text); i++)
        if (strcasestr(text[i], word))
            return true;
    hex_encode(view_of(r->pubkey, 8), key);
    return strcasestr(key, word);
}

static bool matches(const struct shelf_row *r, char *const *word, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!row_holds(r, word[i]))
            return false;
    return true;
}

/* Parts them in place. */
static size_t words_of(char *filter, char *word[static WORDS_MAX]) {
    size_t n = 0;

    for (char *at = filter; n < WORDS_MAX && *(at += strspn(at, " "));) {
        word[n++] = at;
        at += strcspn(at, " ");
        if (*at)
            *at++ = 0;
    }
    return n;
}

static void pick(struct shelf *s, const struct shelf_ask *ask) {
    cleanup_free char *filter = mem_str(ask->filter);
    char *word[WORDS_MAX];
    size_t n_words = words_of(filter, word);

    s->view = mem_grow(s->view, (s->n + 1) * sizeof(struct kept *));
    s->n_view = s->n_muted = 0;
    for (size_t i = 0; i < s->n; i++) {
        struct kept *k = s->all[i];

        if (shelf_expired(&k->row, ask->now) || !matches(&k->row, word, n_words))
            continue;
        if (k->row.mark == MARK_MUTED && !ask->muted)
            s->n_muted++;
        else
            s->view[s->n_view++] = k;
    }
}

void shelf_view(struct shelf *s, const struct shelf_ask *ask) {
    shelf_bury(s);
    refresh(s, ask);
    if (!s->sorted || s->by != ask->by || s->now != ask->now)
        sort(s, ask->by);
    s->now = ask->now;
    if (!s->twins)
        find_twins(s);
    pick(s, ask);
}

size_t shelf_count(const struct shelf *s) {
    return s->n;
}

size_t shelf_shown(const struct shelf *s) {
    return s->n_view;
}

size_t shelf_muted(const struct shelf *s) {
    return s->n_muted;
}

const struct shelf_row *shelf_at(const struct shelf *s, size_t i) {
    return i < s->n_view ? &s->view[i]->row : NULL;
}

const char *shelf_twin_word(enum twin t) {
    static const char *const WORD[] = {[TWIN_NONE] = "",
                                       [TWIN_OFFER] = "another offer",
                                       [TWIN_HISTORY] = "an earlier job of yours",
                                       [TWIN_FAVOURITE] = "a favourite of yours"};

    return WORD[t];
}
