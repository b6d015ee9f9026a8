/* The NVML child in its box, as the agent starts it: what it says is printed, one line a question.
 *
 * usage: nvml_box ROOT LIBRARY GPUS   as root; ROOT is a mount, /dev holds nvidiactl and nvidia0...
 */
#include <stdio.h>
#include <stdlib.h>

#include "guest/nvml.h"

#define WAIT_MS 30000

static int show(struct nvml *n, const char *name, enum nvml_op op, struct view payload) {
    struct nvml_answer a;
    struct err e = {0};

    if (nvml_ask(n, op, payload, WAIT_MS, &a, &e)) {
        printf("%s %s: %s\n", name, e.code, e.text);
        return -1;
    }
    printf("%s %u GPUs, state %02x%02x%02x%02x, ready %d\n", name, a.facts.count, a.facts.state[0],
           a.facts.state[1], a.facts.state[2], a.facts.state[3], a.facts.ready);
    return 0;
}

int main(int argc, char **argv) {
    struct nvml_place place = {.root = argv[argc > 1], .library = argv[argc > 2 ? 2 : 0]};
    struct err e = {0};
    struct nvml *n;

    if (argc != 4)
        return 64;
    place.gpus = (unsigned)strtoul(argv[3], NULL, 10);
    n = nvml_start(&place, &e);
    if (!n) {
        printf("start %s: %s\n", e.code, e.text);
        return 1;
    }
    if (!show(n, "facts", NVML_FACTS, view_of(NULL, 0)) &&
        !show(n, "open", NVML_READY, view_of("\1", 1)))
        (void)!show(n, "close", NVML_READY, view_of("\0", 1));
    nvml_free(n);
    return 0;
}
