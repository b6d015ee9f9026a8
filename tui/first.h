/* The first start: a few questions before there is a cdvm.conf. What each step offers is data,
 * drawn by scr_first.c and chosen in app_first.c. Nothing is written before the last step says so.
 */
#ifndef CDVM_FIRST_H
#define CDVM_FIRST_H

#include <stdbool.h>
#include <stddef.h>

enum first_step { FIRST_WHO, FIRST_RELAYS, FIRST_STRICT, FIRST_KEEP, FIRST_STEPS };
enum { WHO_ONE_TIME, WHO_KEPT, WHO_REMOTE };
enum { STRICT_STANDARD, STRICT_STRICT, STRICT_LOOK };
enum { KEEP_WRITE, KEEP_NOT };
#define FIRST_CHOICES 3

struct first_choice {
    const char *label, *about; /* NULL ends */
};
struct first_title {
    const char *title;
    struct first_choice choice[FIRST_CHOICES + 1]; /* none for the relays: those are settings */
};
extern const struct first_title first_titles[FIRST_STEPS];

struct first {
    enum first_step step;
    size_t cur, top; /* row under the cursor; first one in sight */
    unsigned chosen[FIRST_STEPS];
    bool simulator; /* what there is to say about it is on the screen */
};

#endif
