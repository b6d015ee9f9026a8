/* Prints core/text_table.h: the class of every code point, from utf8proc's copy of the Unicode
 * database. The table is committed, so that neither program nor guest links utf8proc and a screen
 * looks alike on every host. Run by `make text-table`. */
#include <stdbool.h>
#include <stdio.h>
#include <utf8proc.h>

enum { DROP, MARK, ONE, TWO, SPACE };

/* Blank, yet not of a space category: U+2800 is an empty braille cell. The other look-alikes
 * (U+115F U+1160 U+3164 U+FFA0) are default-ignorable. */
static bool blank_lookalike(int cp) {
    return cp == 0x2800;
}

static int class_of(int cp) {
    const utf8proc_property_t *p = utf8proc_get_property(cp);
    int width = utf8proc_charwidth(cp);

    if (p->ignorable || blank_lookalike(cp))
        return DROP;
    switch (p->category) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return DROP;
    case UTF8PROC_CATEGORY_ZS:
        return SPACE;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
        return MARK;
    default:
        return width == 0 ? MARK : width == 2 ? TWO : ONE;
    }
}

int main(void) {
    int last = -1, n = 0;

    printf("/* Made by tests/tools/text_table.c from Unicode %s; not edited by hand.\n"
           " * Each entry: first code point << 8 | class; it holds up to the next entry. */\n"
           "static const uint32_t text_table[] = {",
           utf8proc_unicode_version());
    for (int cp = 0; cp < 0x110000; cp++) {
        int c = class_of(cp);

        if (c == last)
            continue;
        printf("%s0x%07x,", n++ % 8 ? " " : "\n    ", (unsigned)cp << 8 | (unsigned)c);
        last = c;
    }
    printf("\n};\n");
    return 0;
}
