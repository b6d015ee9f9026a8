#include "tui/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/dvm.h"
#include "core/enc.h"

/* Below this, models state wrong things with the same ease as right ones. */
#define TINY_PARAMETERS UINT64_C(1500000000)
#define SMALL_PARAMETERS UINT64_C(8000000000)

void model_of_offer(const struct offer *o, struct model *out) {
    uint8_t owner[32];

    *out = (struct model){.chats = o->job_kind == KIND_JOB_CHAT};
    if (strcmp(o->model, "none") == 0 || strcmp(o->model_name, "none") == 0)
        return;
    text_clip(out->name, sizeof out->name, o->model_name);
    out->bytes = o->model_bytes;
    if (hex_decode_str(o->broker, owner, sizeof owner))
        npub_short(owner, out->owner);
}

static void learn_name(struct model *m, const char *value) {
    text_clip(m->name, sizeof m->name, value);
}

static void learn_parameters(struct model *m, const char *value) {
    (void)!decimal_parse(value, &m->parameters);
}

static void learn_form(struct model *m, const char *value) {
    text_clip(m->form, sizeof m->form, value);
}

static void learn_none(struct model *m, const char *value) {
    (void)value;
    m->name[0] = 0;
    m->chats = true;
}

static void learn_emulated(struct model *m, const char *value) {
    (void)value;
    m->emulated = true;
}

static const struct {
    const char *cap;
    void (*learn)(struct model *m, const char *value);
} CAPS[] = {
    {"model:", learn_name},   {"parameters:", learn_parameters}, {"quantization:", learn_form},
    {"no-model", learn_none}, {"emulated", learn_emulated},
};

void model_learn(struct model *m, const cJSON *caps) {
    const cJSON *cap;

    cJSON_ArrayForEach(cap, caps) {
        for (size_t i = 0; cJSON_IsString(cap) && i < COUNT(CAPS); i++) {
            size_t n = strlen(CAPS[i].cap);

            if (strncmp(cap->valuestring, CAPS[i].cap, n) != 0)
                continue;
            CAPS[i].learn(m, cap->valuestring + n);
            m->by_guest = true;
        }
    }
}

static void count_words(uint64_t n, char out[static 24]) {
    if (n < 1000000)
        snprintf(out, 24, "%" PRIu64 " K", n / 1000);
    else if (n < 9950000)
        snprintf(out, 24, "%.1f M", (double)n / 1e6);
    else if (n < UINT64_C(999500000))
        snprintf(out, 24, "%.0f M", (double)n / 1e6);
    else
        snprintf(out, 24, "%.1f B", (double)n / 1e9);
}

void model_words(const struct model *m, char *out, size_t n) {
    char size[24] = "", count[24];

    if (!model_named(m)) {
        snprintf(out, n, "none");
        return;
    }
    count_words(m->parameters, count);
    if (m->parameters)
        snprintf(out, n, "%s, %s parameters%s%s", m->name, count, *m->form ? ", " : "", m->form);
    else {
        if (m->bytes >= 1000000)
            snprintf(size, sizeof size, ", %.0f MB", (double)m->bytes / 1e6);
        else if (m->bytes)
            snprintf(size, sizeof size, ", %.1f MB", (double)m->bytes / 1e6);
        snprintf(out, n, "%s%s", m->name, size);
    }
}

bool model_named(const struct model *m) {
    return m->name[0] != 0;
}

const char *model_caution(const struct model *m) {
    if (!m->chats)
        return NULL;
    if (!model_named(m))
        return "There is no language model in this guest: an answer is the passages that it found "
               "in your documents, word for word.";
    if (m->parameters && m->parameters < TINY_PARAMETERS)
        return "This model is very small and often gets plain facts wrong: go by the passages, not "
               "by its words.";
    if (m->parameters && m->parameters < SMALL_PARAMETERS)
        return "This is a small model: check what it says against the passages.";
    return NULL;
}
