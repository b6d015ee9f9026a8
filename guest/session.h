/* One job, as the guest sees it (cdvm-protocol(7), "Private messages" and "Binding"):
 *
 *   JOB frame -> one-time key -> [evidence of GPUs] -> [key of a sealed model] -> report -> hello
 * -> workload and model into memory -> accept -> [GPUs open] -> ready -> questions and files ->
 * end, timeout or hang-up -> receipt -> [GPUs closed] -> everything wiped.
 *
 * What the host passes in is untrusted: the customer's key, the nonce and the parameters are taken
 * from the request alone, whose id is recomputed; all that matters is bound into the report. Time
 * limits run on the guest's own monotonic clock. */
#ifndef CDVM_GUEST_SESSION_H
#define CDVM_GUEST_SESSION_H

#include "cmdline.h"
#include "gpus.h"
#include "port.h"
#include "report.h"

#define SESSION_JOB_MS (10 * 60 * 1000)  /* for the JOB frame */
#define SESSION_KEY_MS (90 * 1000)       /* for the key of a sealed model */
#define SESSION_REPORT_MS (60 * 1000)    /* for the simulator's report */
#define SESSION_ACCEPT_MS (600 * 1000)   /* from hello */
#define SESSION_IDLE_MS (10 * 60 * 1000) /* without a word of the customer's */
#define SESSION_HELLO_MS (10 * 1000)     /* hello is sent again */
#define SESSION_FLUSH_MS (10 * 1000)     /* for the last frames */

struct session_conf {
    struct port *port;
    const struct cmdline *cmdline;
    struct report_places report;
    struct gpus *gpus;                       /* NULL: the machine has none */
    void (*set_clock)(int64_t unix_seconds); /* the host's word: only stamps events. NULL = don't */
};
/* Serves one job to its end; keys and data are wiped when it returns. 0 for an orderly end, else
 * the error STATE that was sent. */
uint8_t session_run(struct loop *l, const struct session_conf *conf);

#endif
