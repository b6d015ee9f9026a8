/* A verdict as the model takes it: of a bundle, or of a running session; and as the history keeps
 * it. */
#ifndef CDVM_PRESENT_H
#define CDVM_PRESENT_H

#include "tui/app.h"

/* facts: filled in, and what out->facts points to. out->exhibit is owned by the caller until
 * app_on_verdict takes it over. */
void present_bundle(const struct bundle *b, const struct verdict *v, struct facts *facts,
                    struct app_verdict *out);
void present_verdict(const struct session *s, const struct verdict *v, struct facts *facts,
                     struct app_verdict *out);

/* What the history says of a verdict: fills in proof.state and digest. */
void present_proof(const struct check *top, enum check_state state, bool simulated,
                   struct proven_job *out);

#endif
