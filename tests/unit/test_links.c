#include "tui/links.c"

#include <locale.h>

#include "tests/unit/unit.h"

static void plain(const char *text, const char *shown) {
    cleanup_buf struct buf b = {0};

    links_plain(view_str(text), &b);
    buf_str(&b, "");
    assert_string_equal((char *)b.p, shown);
}

static void host(const char *name, const char *shown) {
    cleanup_buf struct buf b = {0};

    links_host(view_str(name), &b);
    buf_str(&b, "");
    assert_string_equal((char *)b.p, shown);
}

/* RFC 3492 section 7.1, and names that were registered to deceive. */
static void encodes(void **state) {
    (void)state;
    host("b\xc3\xbc"
         "cher.example",
         "xn--bcher-kva.example");
    host("\xe4\xbb\x96\xe4\xbb\xac\xe4\xb8\xba\xe4\xbb\x80\xe4\xb9\x88\xe4\xb8\x8d\xe8\xaf\xb4\xe4"
         "\xb8\xad\xe6\x96\x87",
         "xn--ihqwcrb4cv8a8dqg056pqjye");
    host("\xd0\xb0\xd1\x80\xd1\x80\xd3\x8f\xd0\xb5.com", "xn--80ak6aa92e.com");
    host("3\xe5\xb9\xb4"
         "B\xe7\xb5\x84\xe9\x87\x91\xe5\x85\xab\xe5\x85\x88\xe7\x94\x9f",
         "xn--3B-ww4c5e180e575a65lsy2b");
    host("M\xc3\x9cNCHEN.de", "xn--MNCHEN-3ya.de");
    host("plain.example", "plain.example");
    host("", "");
    host("a..b", "a..b");
}

static void finds_hosts(void **state) {
    (void)state;
    plain("see https://b\xc3\xbc"
          "cher.example/\xc3\xbc?x=1 now",
          "see https://xn--bcher-kva.example/\xc3\xbc?x=1 now");
    plain("b\xc3\xbc"
          "cher.example",
          "b\xc3\xbc"
          "cher.example"); /* a word, not an address */
    plain("https://example.com@\xd0\xb0.com:80/", "https://example.com@xn--80a.com:80/");
    plain("(ftp://\xc3\xa4.de), http://\xc3\xa4", "(ftp://xn--4ca.de), http://xn--4ca");
    plain("://", "://");
    plain("", "");
    plain("a://\xff\xfe", "a://xn--zn7ca");
}

static void holds_back_what_may_grow(void **state) {
    static const struct {
        const char *text;
        size_t shown;
    } CASES[] = {
        {"", 0},
        {"one two", 4},
        {"one two ", 8},
        {"see https:/", 4},
        {"see \xc3\xa4", 6} /* no scheme begins like that */,
        {"https://\xc3\xa4", 0},
        {"Ende.\n", 6},
        {"\xe6\xbc\xa2\xe5\xad\x97", 6},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_int_equal(links_settled(view_str(CASES[i].text)), CASES[i].shown);
}

static void long_words_are_not_waited_for(void **state) {
    char word[HOLD_MAX + 2];

    (void)state;
    memset(word, 'a', sizeof word);
    assert_int_equal(links_settled(view_of(word, sizeof word)), sizeof word);
    memcpy(word, "x://", 4);
    memset(word + 4, 0xe4, sizeof word - 4);
    plain("x://", "x://");
}

static int utf8(void **state) {
    (void)state;
    return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes),
        cmocka_unit_test(finds_hosts),
        cmocka_unit_test(holds_back_what_may_grow),
        cmocka_unit_test(long_words_are_not_waited_for),
    };

    return cmocka_run_group_tests(tests, utf8, NULL);
}
