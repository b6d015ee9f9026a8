/* Inside the shelf: shelf.c keeps, shelf_row.c makes rows, shelf_view.c lists them. */
#ifndef CDVM_SHELF_PRIV_H
#define CDVM_SHELF_PRIV_H

#include "tui/shelf.h"

#define BEATS_MAX 16384 /* twice as many slots */

/* One allocation: the row, its texts, the event. */
struct kept {
    struct shelf_row row; /* first */
    uint64_t look;        /* hash of what the provider's name looks like; 0 no name */
    struct view event;    /* stowed */
    bool judged;          /* proof and mark are those of today */
    size_t bytes;         /* of the allocation */
    size_t at;            /* in shelf.all */
    char text[];
};

/* A name that stands for a key here. */
struct known_name {
    uint64_t look;
    const uint8_t *key; /* of proven, of marks, or of a row */
    enum twin why;
};

struct shelf_relay {
    char *url;
    size_t sole; /* offers that only this one sends */
    uint64_t dropped;
};

struct shelf {
    struct kept **all; /* in the order of the last sort, newcomers at the end */
    size_t n, cap, bytes;
    struct kept **by_name, **by_id; /* open addressing: (pubkey, d), event id */
    size_t slots;                   /* of each; never more than half full */
    uint64_t salt;
    struct heartbeat *beat; /* open addressing; created_at 0: empty */
    size_t n_beats;
    struct shelf_relay relay[SHELF_RELAYS];
    size_t n_relays;
    struct kept **view;
    size_t n_view, n_muted;
    struct kept **grave; /* gone, but the view may hold them */
    size_t n_graves, grave_bytes;
    bool sorted; /* `all` is in order of `by`, as of `now` */
    enum shelf_sort by;
    int64_t now;
    bool twins; /* looked for since names came or went */
    struct known_name *known;
    size_t n_known;
    uint64_t known_proven, known_marks; /* their versions, of which this was made */
};

struct kept *kept_new(const struct offer *o, const struct event *ev, uint64_t salt);
uint64_t shelf_hash(struct view v, uint64_t salt);
uint64_t shelf_look(const char *name, uint64_t salt); /* 0: nothing to compare */
void shelf_bury(struct shelf *s);                     /* frees the graves */
bool shelf_expired(const struct shelf_row *r, int64_t now);
const struct heartbeat *shelf_beat_of(const struct shelf *s, const uint8_t key[static 32]);
bool shelf_is_alive(const struct heartbeat *h, int64_t now); /* h NULL: no */

#endif
