/* Prints core/name_table.h: the script of every letter, and what it looks like when case, marks and
 * borrowed shapes are taken away, from ICU's copy of the Unicode database and of its confusables
 * (UTS 39). The table is committed, so that the program does not link ICU and a name is judged
 * alike on every host. Run by `make name-table`. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>

#define PACKED 0x80000000u /* up to four ASCII characters, seven bits each, the first lowest */
#define FAINT 0x40000000u  /* only its capital looks like that */

static USpoofChecker *spoof;
static const UNormalizer2 *nfd, *nfkc_cf;

/* Shapes that a terminal's fonts hardly tell apart. */
static UChar32 shape(UChar32 c) {
    return c == 'i' || c == '1' || c == '|' ? 'l' : c == '0' ? 'o' : c;
}

/* Confusable skeleton, NFKC and case fold, marks away; before that the case, where `fold`. */
static int look_once(UChar32 cp, bool fold, UChar32 out[8]) {
    UErrorCode bad = U_ZERO_ERROR;
    UChar a[64], b[64], c[64];
    int32_t n = 0, m, k = 0;

    U16_APPEND_UNSAFE(a, n, cp);
    m = unorm2_normalize(fold ? nfkc_cf : nfd, a, n, b, 64, &bad);
    m = uspoof_getSkeleton(spoof, 0, b, m, c, 64, &bad);
    m = unorm2_normalize(nfkc_cf, c, m, b, 64, &bad);
    m = unorm2_normalize(nfd, b, m, c, 64, &bad);
    if (U_FAILURE(bad))
        return 0;
    for (int32_t i = 0; i < m;) {
        UChar32 x;

        U16_NEXT(c, i, m, x);
        if (u_charType(x) == U_NON_SPACING_MARK || u_charType(x) == U_ENCLOSING_MARK)
            continue;
        if (k == 8)
            return 0;
        out[k++] = shape(x);
    }
    return k;
}

static bool plain(UChar32 c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* The scripts that have case, and whose shapes are borrowed. */
static bool cased(UChar32 cp) {
    static const UScriptCode OF[] = {USCRIPT_LATIN,    USCRIPT_GREEK,  USCRIPT_CYRILLIC,
                                     USCRIPT_ARMENIAN, USCRIPT_COPTIC, USCRIPT_GEORGIAN};
    UErrorCode bad = U_ZERO_ERROR;
    UScriptCode s = uscript_getScript(cp, &bad);

    for (size_t i = 0; i < sizeof OF / sizeof OF[0]; i++)
        if (s == OF[i])
            return u_isalpha(cp);
    return false;
}

/* A capital that has a Latin shape is read as that, whatever its small letter looks like. */
static int looks_like(UChar32 cp, UChar32 out[8]) {
    int n = look_once(cp, false, out);

    return n == 1 && plain(out[0]) ? n : look_once(cp, true, out);
}

/* Of a letter that looks like nothing, but whose capital looks Latin; 0 otherwise. */
static unsigned as_capital(UChar32 cp) {
    UChar32 to[8], up = u_toupper(cp);

    if (up == cp || !cased(cp) || look_once(up, false, to) != 1 || !plain(to[0]))
        return 0;
    return FAINT | (unsigned)to[0];
}

/* 0: looks like nothing but itself. */
static unsigned target_once(UChar32 cp) {
    UChar32 to[8];
    unsigned packed = PACKED;
    int n;

    if (!u_isdefined(cp) || u_charType(cp) == U_SURROGATE || u_charType(cp) == U_PRIVATE_USE_CHAR)
        return 0;
    n = looks_like(cp, to);
    if (!(n == 1 && plain(to[0])) && as_capital(cp))
        return as_capital(cp);
    if (n == 1)
        return to[0] != cp && (plain(to[0]) || (cased(cp) && cased(to[0]))) ? (unsigned)to[0] : 0;
    if (n < 2 || n > 4)
        return 0;
    for (int i = 0; i < n; i++) {
        if (!plain(to[i]))
            return 0;
        packed |= (unsigned)to[i] << 7 * i;
    }
    return packed;
}

/* What a thing looks like looks like itself. */
static unsigned target(UChar32 cp) {
    unsigned to = target_once(cp), next;

    while (to > 0x7f && to < FAINT && (next = target_once((UChar32)to)) != 0)
        to = next;
    return to;
}

static void print_looks(void) {
    int n = 0;

    printf(
        "\n\n/* Runs of code points: first << 43 | count << 33 | rises << 32 | to. They look like "
        "`to`, or like to,\n * to + 1 ... where they rise; with bit 31 like up to four ASCII "
        "characters of seven bits, the first lowest. */\nstatic const uint64_t name_looks[] = {");
    for (UChar32 cp = 0x80; cp < 0x110000;) {
        unsigned to = target(cp), len = 1;
        bool rises;

        if (to == 0) {
            cp++;
            continue;
        }
        rises = to < FAINT && target(cp + 1) == to + 1;
        while (len < 1023 && target(cp + (UChar32)len) == (rises ? to + len : to))
            len++;
        printf("%s0x%016llx,", n++ % 5 ? " " : "\n    ",
               (unsigned long long)cp << 43 | (unsigned long long)len << 33 |
                   (unsigned long long)rises << 32 | to);
        cp += (UChar32)len;
    }
    printf("\n};\n");
}

static int script_of(UChar32 cp) {
    UErrorCode bad = U_ZERO_ERROR;

    return u_isdefined(cp) ? (int)uscript_getScript(cp, &bad) : -1;
}

int main(void) {
    static int id[300];
    UErrorCode bad = U_ZERO_ERROR;
    UVersionInfo v;
    char text[U_MAX_VERSION_STRING_LENGTH];
    int last = -1, n = 0, ids = 2;

    spoof = uspoof_open(&bad);
    nfd = unorm2_getNFDInstance(&bad);
    nfkc_cf = unorm2_getNFKCCasefoldInstance(&bad);
    if (U_FAILURE(bad))
        return 1;
    u_getUnicodeVersion(v);
    u_versionToString(v, text);
    printf("/* Made by tests/tools/name_table.c from Unicode %s; not edited by hand. */\n"
           "static const char *const name_scripts[] = {\n    \"\", \"Latin\",",
           text);
    id[USCRIPT_LATIN] = 1;
    for (UChar32 cp = 0; cp < 0x110000; cp++) {
        int s = script_of(cp);

        if (s <= USCRIPT_INHERITED || s == USCRIPT_UNKNOWN || id[s] != 0)
            continue;
        id[s] = ids++;
        printf(" \"%s\",", uscript_getName((UScriptCode)s));
    }
    printf(
        "\n};\n\n/* First code point << 8 | script; it holds up to the next entry. Code points of "
        "no script\n * of their own are passed over. */\nstatic const uint32_t "
        "name_script_table[] = {");
    for (UChar32 cp = 0; cp < 0x110000; cp++) {
        int s = script_of(cp), at;

        if (s == -1)
            continue;
        at = s <= USCRIPT_INHERITED ? 0 : id[s];
        if (at == last)
            continue;
        printf("%s0x%07x,", n++ % 8 ? " " : "\n    ", (unsigned)cp << 8 | (unsigned)at);
        last = at;
    }
    printf("\n};");
    print_looks();
    return 0;
}
