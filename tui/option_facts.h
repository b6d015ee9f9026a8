/* What the screen of settings tells about relays and policy, gathered from where it is known. */
#ifndef CDVM_OPTION_FACTS_H
#define CDVM_OPTION_FACTS_H

#include "tui/browse.h"
#include "tui/options.h"
#include "tui/trust.h"

/* Of each relay in the settings that is in use; at most OPTION_RELAYS. browse may be NULL. */
size_t option_facts_relays(const struct settings *s, const struct browse *b,
                           struct option_relay out[static OPTION_RELAYS]);
/* Looks into the cache for the age of AMD's certificates. */
void option_facts_policy(const struct policy *p, const struct trust *t, struct option_policy *out);

#endif
