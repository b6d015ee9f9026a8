/* Changes what stands in a file of core/conf.h and leaves the rest as the person wrote it:
 * comments, order, blanks, and lines that say already what they should. */
#ifndef CDVM_CONF_EDIT_H
#define CDVM_CONF_EDIT_H

#include "conf.h"

/* The values that `key` has in the struct `in`, as a file would say them; none where it is unset.
 * Strings are owned by *out. */
void conf_values(const struct conf_key *key, const void *in, struct conf_list *out);
/* Appends `text` with the lines of `key` replaced by one line for each value: those that are there
 * stay where they are, new ones come behind the last of them or, without any, at the end. */
void conf_edit(struct view text, const char *key, const struct conf_list *values, struct buf *out);
/* Number of the line that has the nth value of `key`, from 0; 0 when there are fewer. */
size_t conf_line(struct view text, const char *key, size_t nth);

#endif
