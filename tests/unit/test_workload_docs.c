#include "guest/workloads/lib/docs_search.c"
#include "guest/workloads/lib/fuse.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <math.h>
#include <unistd.h>

/* A model of four dimensions that knows which things are alike. */
struct toy {
    size_t asked;
    bool broken;
};

static const struct {
    const char *word;
    size_t dim;
} likeness[] = {{"dog", 0}, {"hound", 0}, {"loan", 1}, {"credit", 1}, {"rain", 2}, {"weather", 2}};

static int toy_embed(void *arg, const struct view *texts, size_t n, float *out, struct err *e) {
    struct toy *toy = arg;

    assert_true(n >= 1 && n <= DOCS_BATCH);
    toy->asked += n;
    if (toy->broken)
        return err_set(e, "engine-gone", "the engine has ended");
    memset(out, 0, n * 4 * sizeof *out);
    for (size_t i = 0; i < n; i++) {
        cleanup_free char *text = mem_strn(texts[i].p, texts[i].n);

        assert_true(texts[i].n <= 512);
        out[4 * i + 3] = 0.1f;
        for (size_t k = 0; k < COUNT(likeness); k++)
            out[4 * i + likeness[k].dim] += strstr(text, likeness[k].word) ? 5 : 0;
    }
    return 0;
}

static const char *const files[][2] = {
    {"pets.txt", "The hound sleeps in the kitchen and barks at night."},
    {"bank.md", "# Bank\n\n## Terms\n\nThe credit is due on 31 March 2027.\n"},
    {"sky.html", "<title>Sky</title><h1>Forecast</h1><p>Bad weather comes on Friday.</p>"},
};

static int add(struct docs *d, const char *name, struct view bytes, struct err *e) {
    char path[] = "/tmp/cdvm-test-XXXXXX";
    cleanup_fd int fd = mkstemp(path);
    int rc;

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, bytes, NULL), 0);
    rc = docs_add(d, name, path, NULL, NULL, e);
    unlink(path);
    return rc;
}

static struct docs *library(struct toy *toy) {
    const struct docs_model model = {toy_embed, toy, 4};
    struct err e;
    struct docs *d = docs_new(toy ? &model : NULL, &e);

    assert_non_null(d);
    for (size_t i = 0; i < COUNT(files); i++)
        assert_int_equal(add(d, files[i][0], view_str(files[i][1]), &e), 0);
    return d;
}

static size_t search(struct docs *d, const char *question, struct docs_hit *hit, size_t max) {
    struct err e;
    size_t n;

    assert_int_equal(docs_search(d, view_str(question), hit, max, &n, NULL, &e), 0);
    assert_string_equal(e.code, "");
    return n;
}

static void words_find_their_document(void **state) {
    struct docs *d = library(NULL);
    struct docs_hit hit[5];

    (void)state;
    assert_int_equal(search(d, "When is the credit due?", hit, 5), 1);
    assert_string_equal(hit[0].name, "bank.md");
    assert_int_equal(hit[0].doc, 1);
    assert_int_equal(hit[0].offset, 0);
    assert_string_equal(hit[0].heading, "Bank > Terms");
    assert_string_equal(hit[0].snippet, "Terms The credit is due on 31 March 2027.");
    assert_true(hit[0].by_words && !hit[0].by_meaning);
    assert_true(hit[0].score > 0 && hit[0].score < DOCS_SCORE_MAX);
    assert_int_equal(search(d, "barking kitchens", hit, 5), 1); /* stems */
    assert_string_equal(hit[0].name, "pets.txt");
    assert_int_equal(search(d, "nothing like it", hit, 5), 0);
    assert_int_equal(search(d, "", hit, 5), 0);
    docs_free(d);
}

static void questions_are_not_a_query_language(void **state) {
    static const char *const odd[] = {
        "\"credit", "credit AND (", "NOT",      "body:credit*",
        "a\"b\"c",  "^x NEAR(y)",   "\xff\xfe", "'; DROP TABLE passage; --",
        "*"};
    struct docs *d = library(NULL);
    struct docs_hit hit[5];

    (void)state;
    for (size_t i = 0; i < COUNT(odd); i++)
        assert_true(search(d, odd[i], hit, 5) <= 3);
    docs_free(d);
}

static void meaning_finds_what_words_do_not(void **state) {
    struct toy toy = {0};
    struct docs *d = library(&toy);
    struct docs_hit hit[5];
    struct err e;

    (void)state;
    assert_false(docs_embedded(d));
    assert_int_equal(search(d, "dog", hit, 5), 0);
    assert_int_equal(docs_embed(d, NULL, &e), 0);
    assert_true(docs_embedded(d));
    assert_true(search(d, "dog", hit, 5) >= 1);
    assert_string_equal(hit[0].name, "pets.txt");
    assert_true(!hit[0].by_words && hit[0].by_meaning);
    assert_true(search(d, "loan", hit, 1) == 1);
    assert_string_equal(hit[0].name, "bank.md");
    docs_free(d);
}

static void a_failing_model_leaves_the_words(void **state) {
    struct toy toy = {0};
    struct docs *d = library(&toy);
    struct docs_hit hit[5];
    struct err e;
    size_t n;

    (void)state;
    assert_int_equal(docs_embed(d, NULL, &e), 0);
    toy.broken = true;
    assert_int_equal(docs_search(d, view_str("credit"), hit, 5, &n, NULL, &e), 0);
    assert_string_equal(e.code, "engine-gone");
    assert_int_equal(n, 1);
    assert_int_equal(add(d, "more.txt", view_str("A dog."), &e), 0);
    assert_int_equal(docs_embed(d, NULL, &e), -1);
    assert_string_equal(e.code, "engine-gone");
    toy.broken = false;
    assert_int_equal(docs_embed(d, NULL, &e), 0);
    assert_true(search(d, "hound", hit, 5) >= 2);
    docs_free(d);
}

struct patience {
    size_t looks, last_done, last_total;
};

static bool stop_after(void *arg) {
    struct patience *p = arg;

    return p->looks-- == 0;
}

static void note(void *arg, uint64_t done, uint64_t total) {
    struct patience *p = arg;

    p->last_done = done;
    p->last_total = total;
}

static void embedding_goes_on_where_it_was_stopped(void **state) {
    struct toy toy = {0};
    struct docs *d = library(&toy);
    struct patience p = {.looks = 2};
    const struct docs_watch w = {stop_after, note, &p, 0};
    cleanup_buf struct buf text = {0};
    struct err e;

    (void)state;
    for (int i = 0; i < 4000; i++)
        buf_fmt(&text, "word%d ", i);
    assert_int_equal(add(d, "long.txt", buf_view(&text), &e), 0);
    assert_int_equal(docs_embed(d, &w, &e), -1);
    assert_string_equal(e.code, "cancelled");
    assert_int_equal(p.last_done, 2 * DOCS_BATCH);
    assert_int_equal(toy.asked, 2 * DOCS_BATCH);
    assert_int_equal(docs_embed(d, NULL, &e), 0);
    assert_int_equal(toy.asked, p.last_total); /* nothing twice */
    docs_free(d);
}

static void a_bad_document_leaves_the_others(void **state) {
    struct docs *d = library(NULL);
    struct docs_hit hit[5];
    struct docs_info info;
    struct err e;

    (void)state;
    assert_int_equal(add(d, "virus.exe", view_of("MZ\0\0", 4), &e), -1);
    assert_string_equal(e.code, "unsupported");
    assert_non_null(strstr(e.text, "documents are read as"));
    assert_int_equal(add(d, "scan.txt", view_str("  \n"), &e), -1);
    assert_string_equal(e.code, "bad-document");
    assert_int_equal(docs_count(d), 3);
    assert_int_equal(search(d, "weather", hit, 5), 1);
    assert_string_equal(hit[0].heading, "Sky > Forecast");
    docs_info(d, 2, &info);
    assert_string_equal(info.format, "html");
    assert_int_equal(info.passages, 1);
    docs_free(d);
}

static void names_are_sanitised(void **state) {
    struct docs *d = library(NULL);
    struct docs_info info;
    struct err e;

    (void)state;
    assert_int_equal(add(d, "a\x1b[2Jb.txt", view_str("text"), &e), 0);
    docs_info(d, 3, &info);
    assert_null(strchr(info.name, '\x1b'));
    docs_free(d);
}

/* --- the parts --- */

static void function_words_are_left_out(void **state) {
    struct query q;

    (void)state;
    query_parse(view_str("How do I configure the firewall, and what's \u201cnftables\u201d?"), &q);
    assert_int_equal(q.n, 3);
    assert_string_equal(q.word[0], "configure");
    assert_string_equal(q.word[2], "nftables");
    query_parse(view_str("Who are you?"), &q);
    assert_int_equal(q.n, 3);
    query_parse(view_str("Straße straße caf\u00e9 x86_64"), &q);
    assert_int_equal(q.n, 4);
    query_parse(view_str("\xff\xff ?? \u2014"), &q);
    assert_int_equal(q.n, 0);
}

static void both_rankings_count(void **state) {
    /*                        0   1   2     3     4 */
    static const float words[] = {0, 0.9f, 0.8f, 0, 0}, meaning[] = {0.1f, -1, 0.8f, 0.9f, -1};
    struct fuse_hit hit[5];

    (void)state;
    assert_int_equal(fuse(words, meaning, 5, hit, 5), 4);
    assert_int_equal(hit[0].passage, 2); /* second in both */
    assert_true(hit[0].by_words && hit[0].by_meaning);
    for (size_t i = 0; i < 4; i++)
        assert_true(hit[i].score > 0 && hit[i].score <= 1 &&
                    (i == 0 || hit[i].score <= hit[i - 1].score));
    assert_int_equal(fuse(words, NULL, 5, hit, 1), 1);
    assert_int_equal(hit[0].passage, 1);
    assert_int_equal(fuse(words, NULL, 0, hit, 5), 0);
}

/* One word of four that no other passage has is still one of four. */
static void words_are_shares_of_the_question(void **state) {
    struct docs *d = library(NULL);
    struct docs_hit one, all;

    (void)state;
    assert_int_equal(search(d, "hound cathedral violin glacier", &one, 1), 1);
    assert_int_equal(search(d, "hound sleeps kitchen barks", &all, 1), 1);
    assert_string_equal(one.name, all.name);
    assert_true(one.score * 3 < all.score);
    docs_free(d);
}

static void vectors_have_a_direction(void **state) {
    const float rows[] = {3, 4, 0, -2}, zero[] = {0, 0}, odd[] = {1, NAN}, q[] = {0, 7};
    struct vectors *v = vectors_new(2);
    float got[2];
    struct err e;

    (void)state;
    assert_int_equal(vectors_add(v, rows, 2, &e), 0);
    assert_int_equal(vectors_add(v, zero, 1, &e), -1);
    assert_string_equal(e.code, "bad-model");
    assert_int_equal(vectors_add(v, odd, 1, &e), -1);
    assert_int_equal(vectors_count(v), 2);
    vectors_compare(v, q, got);
    assert_true(fabsf(got[0] - 0.8f) < 1e-6f && fabsf(got[1] + 1) < 1e-6f);
    vectors_free(v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_find_their_document),
        cmocka_unit_test(questions_are_not_a_query_language),
        cmocka_unit_test(meaning_finds_what_words_do_not),
        cmocka_unit_test(a_failing_model_leaves_the_words),
        cmocka_unit_test(embedding_goes_on_where_it_was_stopped),
        cmocka_unit_test(a_bad_document_leaves_the_others),
        cmocka_unit_test(names_are_sanitised),
        cmocka_unit_test(function_words_are_left_out),
        cmocka_unit_test(both_rankings_count),
        cmocka_unit_test(words_are_shares_of_the_question),
        cmocka_unit_test(vectors_have_a_direction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
