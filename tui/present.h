/* A verdict as the model takes it: of a bundle, or of a running session. */
#ifndef CDVM_PRESENT_H
#define CDVM_PRESENT_H

#include "tui/app.h"

/* facts: filled in, and what out->facts points to. out->exhibit is owned by the caller until
 * app_on_verdict takes it over. */
void present_bundle(const struct bundle *b, const struct verdict *v, struct facts *facts,
                    struct app_verdict *out);
void present_verdict(const struct session *s, const struct verdict *v, struct facts *facts,
                     struct app_verdict *out);

#endif
