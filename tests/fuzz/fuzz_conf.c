/* Configuration text over a table with every type. */
#include "core/conf.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

struct settings {
    char *name;
    struct conf_list relay;
    uint64_t slots;
    bool loud;
    unsigned policy;
};

static const char *const policies[] = {"standard", "strict", NULL};
static const struct conf_key keys[] = {
    {"name", CONF_STRING, offsetof(struct settings, name), 0, 100, NULL, ""},
    {"relay", CONF_LIST, offsetof(struct settings, relay), 0, 0, NULL, ""},
    {"slots", CONF_NUMBER, offsetof(struct settings, slots), 1, 64, NULL, ""},
    {"loud", CONF_BOOL, offsetof(struct settings, loud), 0, 0, NULL, ""},
    {"policy", CONF_CHOICE, offsetof(struct settings, policy), 0, 0, policies, ""},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct settings s = {.slots = 1};
    struct err e = {0};

    if (conf_parse(view_of(data, size), "f", keys, COUNT(keys), &s, &e) < 0)
        MUST(strcmp(e.code, "bad-config") == 0 && utf8_valid(view_str(e.text)));
    MUST(s.slots >= 1 && s.slots <= 64 && s.policy < 2);
    conf_free(keys, COUNT(keys), &s);
    return 0;
}
