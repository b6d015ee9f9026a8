/* The offer of a tool that is called name, as a simulator makes it. */
#ifndef CDVM_TABLE_OFFER_H
#define CDVM_TABLE_OFFER_H

#include <stdio.h>
#include <string.h>

#include "core/kinds.h"
#include "core/offer.h"

static inline struct offer table_offer(const char *name, const char *relay) {
    struct offer o = {.job_kind = KIND_JOB_TOOL,
                      .privacy = "sim",
                      .model = "none",
                      .model_name = "none",
                      .broker = "none",
                      .vcpu_type = "EPYC-v4",
                      .price_unit = "job",
                      .vcpus = 1,
                      .memory_mib = 512,
                      .n_relays = 1};

    snprintf(o.d, sizeof o.d, "%s", name);
    snprintf(o.name, sizeof o.name, "%s", name);
    snprintf(o.workload_name, sizeof o.workload_name, "%s", name);
    memset(o.workload, 'a', 64);
    memcpy(o.workload + 64, ":9", 3);
    snprintf(o.relays[0], sizeof o.relays[0], "%s", relay);
    return o;
}

#endif
