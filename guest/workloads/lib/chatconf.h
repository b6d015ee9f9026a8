/* The parameters of a chat job (NIP-90 `param`), checked. A known name with a bad value is refused
 * ("bad-request") with what it may be; names that are not of this list are for others. */
#ifndef CDVM_WORKLOAD_CHATCONF_H
#define CDVM_WORKLOAD_CHATCONF_H

#include "core/json.h"
#include "prompt.h"

enum chat_profile { CHAT_AUTO, CHAT_FULL, CHAT_LEAN };

struct chatconf {
    char *system;        /* owned; NULL = the usual one */
    uint32_t max_tokens; /* of an answer; 0 = the profile's */
    uint32_t passages;   /* given to the model; 0 = the profile's */
    uint32_t turns;      /* earlier questions and answers that it is given again, at most */
    enum chat_profile profile;
    struct buf sampling; /* JSON members for the engine, each with a comma before it */
};
int chatconf_parse(const cJSON *params, struct chatconf *out, struct err *e) WARN_UNUSED;
void chatconf_free(struct chatconf *c); /* legal on {0} */

#endif
