/* The headers that decide who comes in, one a line: host, origin, authorization. Nobody does
 * without the token, whatever else they say; and an address is loopback or refused. */
#include "core/listen.h"
#include "tests/fuzz/fuzz.h"
#include "tui/doorman.h"

static struct door door;

/* The next line as a C string; an absent header for an empty line. */
static char *line(struct view *rest) {
    const uint8_t *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    size_t n = end ? (size_t)(end - rest->p) : rest->n;
    char *s = n ? mem_strn(rest->p, n) : NULL;

    *rest = end ? view_of(end + 1, rest->n - n - 1) : (struct view){0};
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct view rest = view_of(data, size);
    cleanup_free char *host = line(&rest), *origin = line(&rest), *authorization = line(&rest);
    cleanup_free char *word = mem_strn(data, size);
    struct knock k = {host, origin, authorization};
    struct door other;
    struct err e;

    if (!door.token)
        MUST(door_open("127.0.0.1:8080", &door, &e) == 0);
    MUST(door_check(&door, &k, &e) >= 401 && e.code[0]);
    if (door_open(word, &other, &e) == 0)
        MUST(address_loopback(other.host) && other.token);
    door_close(&other);
    return 0;
}
