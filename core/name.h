/* Names that people give themselves, judged as UTS 39 does: letters of which scripts, and what the
 * name looks like. Two names with one look are two names for the eye; so a name never stands alone
 * on a screen, its key is beside it.
 *
 * Input is text that passed text_safe (TEXT_LINE), which leaves U+FFFD where something unseen was.
 */
#ifndef CDVM_NAME_H
#define CDVM_NAME_H

#include "bytes.h"

#define NAME_LOOK 64 /* bytes of a look, with its NUL */

enum name_flag {
    NAME_MIXED = 1,    /* letters of scripts that do not go together */
    NAME_DISGUISE = 2, /* of one script, but all that is not Latin looks Latin: "сосо" */
    NAME_UNSEEN = 4,   /* something invisible or broken was replaced by U+FFFD */
};
unsigned name_flags(struct view name);

/* What the eye reads: case, marks, spaces and punctuation away, letters that look alike made one
 * (l I 1 |, 0 O, Latin and Cyrillic a, rn and m). Cut at whole characters. Empty when nothing is
 * left to compare. */
void name_look(struct view name, char out[static NAME_LOOK]);

/* "Latin and Cyrillic": the scripts of its letters, at most three named. */
void name_scripts_words(struct view name, char *out, size_t n);

#endif
