#include "tui/option_facts.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/dvm.h"
#include "core/nip19.h"

static void relay_facts(const char *url, const struct relay *r, struct option_relay *out) {
    int64_t at = relay_retry_at(r);

    *out = (struct option_relay){.state = relay_state(r),
                                 .ping = relay_latency_ms(r),
                                 .retry = at < 0 ? -1 : at - loop_now(),
                                 .events = relay_events(r)};
    text_clip(out->url, sizeof out->url, url);
}

size_t option_facts_relays(const struct settings *s, const struct browse *b,
                           struct option_relay out[static OPTION_RELAYS]) {
    size_t n = 0;

    for (size_t i = 0; b && i < s->relay.n && n < OPTION_RELAYS; i++) {
        const struct relay *r = browse_relay(b, s->relay.v[i]);

        if (r)
            relay_facts(s->relay.v[i], r, &out[n++]);
    }
    return n;
}

/* Unix seconds of the newest file of a folder; 0 without any. */
static int64_t newest_in(const char *folder) {
    DIR *d = opendir(folder);
    struct dirent *ent;
    int64_t newest = 0;
    struct stat st;

    while (d && (ent = readdir(d)))
        if (fstatat(dirfd(d), ent->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) &&
            st.st_mtime > newest)
            newest = st.st_mtime;
    if (d)
        closedir(d);
    return newest;
}

void option_facts_policy(const struct policy *p, const struct trust *t, struct option_policy *out) {
    struct err e;
    cleanup_free char *cache = conf_path(CONF_CACHE, "collateral", &e);
    const struct pins *pins = &t->pins;

    *out = (struct option_policy){.policy = *p,
                                  .endorsers = pins->n_endorsers,
                                  .agree = pins->k ? pins->k : 1,
                                  .digests = pins->n_digests,
                                  .floors = t->memory.n_floors,
                                  .collateral = cache ? newest_in(cache) : 0};
    for (size_t i = 0; i < pins->n_endorsers && i < OPTION_ENDORSERS; i++)
        npub_short(pins->endorser[i], out->endorser[i]);
}
