#include "card.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "core/text.h"

#define CARD_MAX ((size_t)65536)
#define CONTEXT_MAX (1 << 20)
#define WORD_MAX 60
#define STOP_MAX 64

static char *word(const cJSON *o, const char *key, const char *otherwise) {
    const char *s = json_opt(o, key);
    char *safe = text_safe_new(view_str(s ? s : ""), TEXT_LINE, WORD_MAX);

    if (*safe)
        return safe;
    free(safe);
    return mem_str(otherwise);
}

static void take_stops(struct card *c, const cJSON *o) {
    const cJSON *v, *list = cJSON_GetObjectItemCaseSensitive(o, "stop");

    cJSON_ArrayForEach(
        v, list) if (cJSON_IsString(v) && v->valuestring[0] && strlen(v->valuestring) <= STOP_MAX &&
                     c->n_stops < CARD_STOPS_MAX) c->stop[c->n_stops++] = mem_str(v->valuestring);
}

void card_read(const char *path, struct card *out) {
    cleanup_buf struct buf text = {0};
    int64_t n;
    cJSON *o = NULL;

    *out = (struct card){0};
    if (!file_read(path, CARD_MAX, &text, NULL))
        o = json_parse(buf_view(&text), CARD_MAX, NULL);
    out->name = word(o, "name", "unnamed model");
    out->quantization = word(o, "quantization", "");
    if (json_int_of(cJSON_GetObjectItemCaseSensitive(o, "parameters"), &n) && n > 0)
        out->parameters = (uint64_t)n;
    if (json_int_of(cJSON_GetObjectItemCaseSensitive(o, "context"), &n) && n > 0 &&
        n <= CONTEXT_MAX)
        out->context = (uint32_t)n;
    take_stops(out, o);
    cJSON_Delete(o);
}

void card_free(struct card *c) {
    free(c->name);
    free(c->quantization);
    while (c->n_stops)
        free(c->stop[--c->n_stops]);
    *c = (struct card){0};
}

static void count_words(uint64_t n, struct buf *out) {
    static const struct {
        uint64_t one;
        const char *unit;
    } units[] = {{1000000000, " B"}, {1000000, " M"}, {1000, " K"}, {1, ""}};
    size_t i = 0;
    uint64_t tenths;

    while (n < units[i].one)
        i++;
    tenths = n / (units[i].one > 1 ? units[i].one / 10 : 1);
    if (units[i].one > 1000 && tenths < 100)
        buf_fmt(out, "%" PRIu64 ".%" PRIu64 "%s", tenths / 10, tenths % 10, units[i].unit);
    else
        buf_fmt(out, "%" PRIu64 "%s", (n + units[i].one / 2) / units[i].one, units[i].unit);
}

char *card_words(const struct card *c, size_t max) {
    cleanup_buf struct buf out = {0};
    struct view v;

    buf_str(&out, c->name);
    if (c->parameters) {
        buf_str(&out, ", ");
        count_words(c->parameters, &out);
        buf_str(&out, " parameters");
    }
    if (*c->quantization)
        buf_fmt(&out, ", %s", c->quantization);
    v = buf_view(&out);
    while (v.n > max || !utf8_valid(v))
        v.n--;
    return mem_strn(v.p, v.n);
}
