/* Breaking text into rows of a width in cells. No curses. */
#ifndef CDVM_FLOW_H
#define CDVM_FLOW_H

#include "core/text.h"

/* Bytes of sanitised text that go on one row of w cells: up to a newline (not counted), or to the
 * last space that fits (counted), or, in a longer word, to the last character that fits. At least
 * one character, so that a caller always gets on. */
size_t flow_break(struct view v, int w);
/* Bytes of the longest beginning that fits in w cells, wherever that ends. */
size_t flow_fit(struct view v, int w);

/* The same bytes without the spaces at their end: a row may hang them over the edge. */
size_t flow_trim(struct view v);

#endif
