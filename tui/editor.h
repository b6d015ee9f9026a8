/* The person's own editor for a long draft: $VISUAL, else $EDITOR, started without a shell on a
 * file that only its owner can read, in memory and not on a disk. When the editor has ended the
 * file is read, overwritten and removed, with whatever else the editor left in its folder.
 *
 * It runs beside the loop: a guest is answered while somebody writes. Who starts it gives the
 * terminal up before (tui_lend) and takes it back after. An editor that stops itself is woken:
 * there is no shell behind it to come back to. */
#ifndef CDVM_EDITOR_H
#define CDVM_EDITOR_H

#include "core/loop.h"

#define EDITOR_TEXT_MAX ((size_t)4 << 20)

struct editor;
/* The draft as it was saved; or e, and the old draft stands. Borrowed for the call, which may free
 * the editor. */
typedef void editor_fn(void *arg, struct view text, const struct err *e);

/* folder: as configured, any private one; NULL: $XDG_RUNTIME_DIR, refused unless it is a tmpfs.
 * "no-editor", "unsafe-folder". */
struct editor *editor_start(struct loop *l, const char *folder, struct view draft, editor_fn *done,
                            void *arg, struct err *e);
void editor_free(struct editor *ed); /* one that runs is told to go; wipes the file; NULL legal */

#endif
