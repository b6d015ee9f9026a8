/* The command line template (cdvm-protocol(7), "Command line template"): nothing is substituted
 * before the template and all three values have been found right. */
#include "release.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

struct slot {
    const char *name; /* as written in the template */
    bool none_ok;
    bool is_key; /* 64 hex digits instead of root:blocks */
};
enum { SLOTS = 3 };
static const struct slot slots[SLOTS] = {
    {"${work}", false, false}, {"${model}", true, false}, {"${broker}", true, true}};

static const struct slot *slot_at(const char *s) {
    for (size_t i = 0; i < SLOTS; i++)
        if (!strncmp(s, slots[i].name, strlen(slots[i].name)))
            return &slots[i];
    return NULL;
}

static bool all_hex(const char *s, size_t n) {
    return strspn(s, "0123456789abcdef") >= n;
}

bool volume_parse(const char *s, struct volume *out) {
    size_t digits;

    *out = (struct volume){0};
    if (strlen(s) < 66 || !all_hex(s, 64) || s[64] != ':')
        return false;
    digits = strspn(s + 65, "0123456789");
    if (digits > 12 || s[65] == '0' || s[65 + digits])
        return false;
    for (size_t i = 0; i < 64; i++) {
        uint8_t nibble = (uint8_t)(s[i] <= '9' ? s[i] - '0' : s[i] - 'a' + 10);

        out->root[i / 2] = (uint8_t)(out->root[i / 2] << 4 | nibble);
    }
    for (size_t i = 0; i < digits; i++)
        out->blocks = out->blocks * 10 + (uint64_t)(s[65 + i] - '0');
    return true;
}

void volume_text(const struct volume *v, char out[static VOLUME_TEXT]) {
    for (size_t i = 0; i < 32; i++)
        snprintf(out + 2 * i, 3, "%02x", v->root[i]);
    snprintf(out + 64, VOLUME_TEXT - 64, ":%llu", (unsigned long long)v->blocks);
}

bool volume_same(const struct volume *a, const struct volume *b) {
    return a->blocks == b->blocks && !memcmp(a->root, b->root, 32);
}

static bool value_ok(const struct slot *slot, const char *value) {
    struct volume v;

    if (slot->none_ok && !strcmp(value, "none"))
        return true;
    if (slot->is_key)
        return strlen(value) == 64 && all_hex(value, 64);
    return volume_parse(value, &v);
}

int cmdline_check(const char *templ, struct err *e) {
    unsigned seen[SLOTS] = {0};
    struct volume base;

    if (strlen(templ) > CMDLINE_MAX || !text_ascii_printable(view_str(templ)))
        return err_set(e, "bad-template",
                       "the command line template is not printable ASCII of at most %zu bytes",
                       CMDLINE_MAX);
    for (const char *p = strchr(templ, '$'); p; p = strchr(p + 1, '$')) {
        const struct slot *s = slot_at(p);

        if (!s)
            return err_set(e, "bad-template", "'%.12s' is no placeholder of this protocol", p);
        seen[s - slots]++;
    }
    for (size_t i = 0; i < SLOTS; i++)
        if (seen[i] != 1)
            return err_set(e, "bad-template", "%s occurs %u times, once is right", slots[i].name,
                           seen[i]);
    return cmdline_base(templ, &base, e) < 0 ? -1 : 0;
}

/* As the kernel reads its words (lib/cmdline.c, kernel/params.c): those behind "--" are not its
 * own, quotes join words, and the last acpi= of several may undo the first. Whatever is not plain
 * is not off. */
enum guest_acpi cmdline_acpi(const char *templ) {
    cleanup_free char *copy = mem_str(templ);
    char *rest = copy, *word;
    bool off = false;

    if (strchr(templ, '"'))
        return ACPI_OPEN;
    while ((word = strsep(&rest, " ")) && strcmp(word, "--")) {
        if (!strncmp(word, "acpi=", 5) && strcmp(word, "acpi=off"))
            return ACPI_OPEN;
        off |= !strcmp(word, "acpi=off");
    }
    return off ? ACPI_OFF : ACPI_OPEN;
}

/* Words as the agent takes them: whatever stands between two spaces. */
int cmdline_base(const char *templ, struct volume *out, struct err *e) {
    static const char name[] = "cdvm.base=";
    cleanup_free char *copy = mem_str(templ);
    char *rest = copy, *word;
    int found = 0;

    while ((word = strsep(&rest, " "))) {
        if (strncmp(word, name, strlen(name)))
            continue;
        if (found++)
            return err_set(e, "bad-template", "'%s' stands twice in the command line template",
                           name);
        if (!volume_parse(word + strlen(name), out))
            return err_set(e, "bad-template", "'%.100s' names no volume as root:blocks", word);
    }
    return found;
}

static int values_check(const char *const value[SLOTS], struct err *e) {
    for (size_t i = 0; i < SLOTS; i++) {
        cleanup_free char *shown = NULL;

        if (value_ok(&slots[i], value[i]))
            continue;
        shown = text_safe_new(view_str(value[i]), TEXT_LINE, 90);
        return err_set(e, "bad-root", "'%s' is not a value for %s", shown, slots[i].name);
    }
    return 0;
}

int cmdline_render(const char *templ, const char *work, const char *model, const char *broker,
                   struct buf *out, struct err *e) {
    const char *const value[SLOTS] = {work, model, broker};
    const size_t start = out->n;

    if (cmdline_check(templ, e) || values_check(value, e))
        return -1;
    while (*templ) {
        size_t literal = strcspn(templ, "$");
        const struct slot *s;

        buf_add(out, templ, literal);
        templ += literal;
        s = *templ ? slot_at(templ) : NULL;
        if (!s)
            break;
        buf_str(out, value[s - slots]);
        templ += strlen(s->name);
    }
    if (out->n - start > CMDLINE_MAX)
        return err_set(e, "too-large", "the command line is %zu bytes, the kernel takes %zu",
                       out->n - start, CMDLINE_MAX);
    return 0;
}
