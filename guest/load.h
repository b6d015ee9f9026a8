/* Workload and model volumes taken into memory, a piece per turn of the loop, so that the channel
 * lives on meanwhile. */
#ifndef CDVM_LOAD_H
#define CDVM_LOAD_H

#include "cmdline.h"
#include "core/loop.h"
#include "core/secret.h"

struct load;
struct load_handler {
    void (*loaded)(void *arg);
    void (*failed)(void *arg, const struct err *e);
};
/* model_key: of a sealed model, else NULL; taken over, and wiped once the disk is open. A disk that
 * it does not open fails with "model-key". */
struct load *load_start(struct loop *l, const struct cmdline *what, struct secret *model_key,
                        const struct load_handler *h, void *arg);
void load_free(struct load *l);               /* unmounts; NULL legal; not from a callback */
const char *load_work(const struct load *l);  /* where the workload is mounted */
const char *load_model(const struct load *l); /* NULL when there is no model */

#endif
