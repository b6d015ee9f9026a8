/* What broker_house.c and broker_judge.c share. */
#ifndef CDVM_BROKER_PRIV_H
#define CDVM_BROKER_PRIV_H

#include "broker_house.h"

struct house_release {
    uint8_t digest[32];
    struct buf content;
    struct release *release;
};
struct broker_house {
    struct broker_list list;
    struct secret **key; /* of each row */
    struct house_release *release;
    size_t n_releases;
    uint8_t (*endorser)[32];
    struct event **event;
    struct pins pins; /* its arrays are the two above */
    struct policy policy;
    struct memory memory;
    struct buf memory_text; /* the whole file */
    char *memory_path;
};

#endif
