/* What this machine met before: the facts of the last accepted verdict about each machine of a
 * provider, and the warnings whose acceptance the person asked to be remembered (cdvm-protocol(7),
 * "Verdict"). Nothing about content. One file, a JSON object a line:
 *
 *   {"t":"last","provider":hex,"when":unix,"simulated":bool,"verdict":"PASS",...}   see facts.h
 *   {"t":"accept","provider":hex,"when":unix,"release":hex,"chip":hex,"check":id,"value":sha256}
 *
 * An acceptance holds for the same check with the same value on this release and this chip of this
 * provider; never for one that is simulated. Lines older than the days that the person gave go.
 * Two programs take turns at the file, and what one forgets the other does not write back
 * (statefile.h). */
#ifndef CDVM_KNOWN_H
#define CDVM_KNOWN_H

#include "tui/facts.h"

#define KNOWN_DAYS 90
#define KNOWN_ROWS 200 /* of each kind; the oldest go */

struct known;
/* path NULL, or no days: nothing is read or kept beyond this run. A file that is absent is empty;
 * lines that make no sense are passed over, and stay. What cannot be read is said in *note (NULL
 * legal), and then not written over either. Never NULL. */
struct known *known_new(const char *path, int64_t now, unsigned days, struct err *note);
void known_free(struct known *k); /* NULL legal */

/* The last accepted verdict about this chip of this provider, else about any of its; NULL when
 * there is none. Valid until the next known_put. */
const struct facts *known_last(const struct known *k, const struct facts *like);
/* Remembers; on error for this run alone. */
int known_put(struct known *k, const struct facts *f, struct err *e) WARN_UNUSED;

/* Was the acceptance of this warning, with this value, remembered? When, or 0. */
int64_t known_accepted(const struct known *k, const struct facts *f, const struct check *c);
int known_accept(struct known *k, const struct facts *f, const struct check *c,
                 struct err *e) WARN_UNUSED;
/* check NULL: every acceptance of this provider. How many were forgotten; -1 with e. */
int known_forget(struct known *k, const struct facts *f, const struct check *c, struct err *e);
/* All that is remembered of a provider: how much, and forgotten. */
size_t known_of_provider(const struct known *k, const uint8_t provider[static 32]);
int known_forget_provider(struct known *k, const uint8_t provider[static 32],
                          struct err *e) WARN_UNUSED;
size_t known_acceptances(const struct known *k); /* of all providers */

#endif
