/* Names after the sanitiser: bounded, whole characters, and a look looks like itself. */
#include "core/name.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cleanup_free char *name = text_safe_new(view_of(data, size), TEXT_LINE, 200);
    char look[NAME_LOOK], again[NAME_LOOK], words[40];
    unsigned flags = name_flags(view_str(name));

    name_look(view_str(name), look);
    MUST(strlen(look) < NAME_LOOK && utf8_valid(view_str(look)));
    name_look(view_str(look), again);
    MUST(strcmp(look, again) == 0);
    name_scripts_words(view_str(name), words, sizeof words);
    MUST(strlen(words) < sizeof words);
    MUST(!(flags & NAME_MIXED) || strstr(words, " and ") || strlen(words) == sizeof words - 1);
    MUST(!(flags & NAME_UNSEEN) == !strstr(name, "\xef\xbf\xbd"));
    return 0;
}
