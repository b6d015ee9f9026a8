#include "tui/pace.h"

#include <inttypes.h>
#include <stdio.h>

#define SURE_MS 1500 /* before that a rate says nothing */

void pace_at(struct pace *p, int64_t now, uint64_t done, uint64_t total) {
    if (p->began == 0 || done < p->done || total != p->total)
        *p = (struct pace){.first = done, .began = now};
    p->done = done;
    p->total = total;
    p->moved = now;
}

static void left_words(int64_t ms, char out[static 32]) {
    int64_t s = (ms + 999) / 1000;

    if (s < 60)
        snprintf(out, 32, ", left %" PRId64 " s", s);
    else
        snprintf(out, 32, ", left %" PRId64 " m %02" PRId64 " s", s / 60, s % 60);
}

void pace_words(const struct pace *p, const char *unit, char *out, size_t n) {
    int64_t ms = p->moved - p->began;
    double rate = ms > 0 ? (double)(p->done - p->first) * 1000.0 / (double)ms : 0;
    char of[32] = "", per_s[40] = "", left[32] = "";

    if (p->total)
        snprintf(of, sizeof of, " of %" PRIu64, p->total);
    if (ms >= SURE_MS && rate > 0) {
        snprintf(per_s, sizeof per_s, rate < 10 ? ", %.1f/s" : ", %.0f/s", rate);
        if (p->total > p->done)
            left_words((int64_t)((double)(p->total - p->done) * 1000.0 / rate), left);
    }
    snprintf(out, n, "%" PRIu64 "%s%s%s%s%s", p->done, of, *unit ? " " : "", unit, per_s, left);
}
