/* From a filled stage to a volume (qemu-scripts/make-volume.sh): what every volume has is put into
 * it here, whatever stood in those places, so that the script meets nothing of others there. */
#ifndef CDVM_PACKING_H
#define CDVM_PACKING_H

#include "core/release.h"
#include "stage.h"

/* A stage beside the volume NAME of that image folder, which is made if it is not there. */
struct stage *packing_stage(const char *image, const char *name, uint64_t max_bytes, struct err *e);
/* Folders for what is mounted there, empty; cdvm with job.json alone, or empty when job is NULL. */
int packing_furnish(struct stage *s, const struct buf *job, struct err *e) WARN_UNUSED;
/* NAME.vol of that image folder, and its reference in NAME.volume. compress: programs yes, weights
 * no. */
int packing_volume(struct stage *s, const char *image, const char *name, bool compress,
                   struct volume *out, struct err *e) WARN_UNUSED;

/* The absolute path under which the image would run `word`: itself, in its folder, or along PATH.
 * Owned; NULL: "bad-image". */
char *packing_program(const struct stage *s, const char *word, const char *cwd, const char *path,
                      struct err *e);
/* The number of an OCI image's User ("1001", "name", either with ":group"); 0 when it has none or
 * is not in etc/passwd. */
uint64_t packing_user(const struct stage *s, const char *user);

#endif
