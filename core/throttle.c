#include "throttle.h"

#define GAP_FIRST_MS 250
#define GAP_MAX_MS 30000
#define FORGET_MS 60000

int64_t throttle_wait(const struct throttle *t, int64_t now) {
    return t->gap > 0 && t->next > now ? t->next - now : 0;
}

void throttle_sent(struct throttle *t, int64_t now) {
    t->next = now + t->gap;
}

void throttle_refused(struct throttle *t, int64_t sent_at, int64_t now) {
    if (t->gap == 0)
        t->gap = GAP_FIRST_MS;
    else if (sent_at < t->refused_at)
        return;
    else
        t->gap = t->gap + t->gap / 2 < GAP_MAX_MS ? t->gap + t->gap / 2 : GAP_MAX_MS;
    t->refused_at = now;
    t->next = now + t->gap;
}

void throttle_taken(struct throttle *t, int64_t now) {
    if (now - t->refused_at > FORGET_MS)
        t->gap = 0;
    else
        t->gap -= t->gap / 16;
}
