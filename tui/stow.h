/* Verified events in a third of their JSON, for keeping thousands: binary keys and signature, hex
 * of 32 bytes as 32 bytes. The form never leaves the process. */
#ifndef CDVM_STOW_H
#define CDVM_STOW_H

#include "core/event.h"

void stow_event(const struct event *ev, struct buf *out); /* appends */
/* The same event again; owned. `v` is what stow_event made, nothing else. */
struct event *stow_open(struct view v);

#endif
