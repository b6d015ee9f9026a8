/* Where files live (XDG base directories) and what stands in them (key = value).
 *
 * File format: one `key = value` a line; blanks around both go; an empty line and a line whose
 * first sign is # are comments; a list key may be repeated. No quotes, no escapes, no sections. The
 * keys are the long option names of the program that reads the file, and the same table serves
 * both. An unknown key is an error that names file and line. */
#ifndef CDVM_CONF_H
#define CDVM_CONF_H

#include "bytes.h"

enum conf_dir {
    CONF_CONFIG,  /* $XDG_CONFIG_HOME/cdvm, else ~/.config/cdvm */
    CONF_DATA,    /* $XDG_DATA_HOME/cdvm, else ~/.local/share/cdvm */
    CONF_STATE,   /* $XDG_STATE_HOME/cdvm, else ~/.local/state/cdvm */
    CONF_CACHE,   /* $XDG_CACHE_HOME/cdvm, else ~/.cache/cdvm */
    CONF_RUNTIME, /* $XDG_RUNTIME_DIR/cdvm, else a folder of ours, see conf_path */
};

/* Path of `name` in one of the folders, or of the folder itself when name is NULL; owned. Folders
 * that do not exist are made, mode 0700. The runtime folder must be ours and closed to others:
 * where XDG_RUNTIME_DIR is unset or unusable, $TMPDIR/cdvm-UID serves, and one that somebody else
 * put there is refused ("unsafe-folder"). NULL on error. */
char *conf_path(enum conf_dir dir, const char *name, struct err *e);
/* The same of a folder that is not the runtime one, for who reads only: nothing is made. */
char *conf_place(enum conf_dir dir, const char *name, struct err *e);

enum conf_type {
    CONF_STRING, /* char *, owned */
    CONF_LIST,   /* struct conf_list, one entry a line */
    CONF_NUMBER, /* uint64_t between min and max */
    CONF_BOOL,   /* bool: true, yes, on, 1, false, no, off, 0 */
    CONF_CHOICE, /* unsigned: index into the NULL-terminated choices */
};

struct conf_list {
    char **v;
    size_t n;
};

struct conf_key {
    const char *name; /* "relay" */
    enum conf_type type;
    size_t offset;              /* of the field in the caller's struct */
    uint64_t min, max;          /* CONF_NUMBER; CONF_STRING and CONF_LIST: max length, 0 = 4096 */
    const char *const *choices; /* CONF_CHOICE */
    const char *help;           /* one line, for --help and the man page */
};

/* Reads text into `out`, the caller's struct, which holds defaults before (strings and lists owned,
 * or NULL/empty). A key given in the text replaces its default; a list given once or more replaces
 * the whole default list. `file` names the text in errors. Error "bad-config". */
int conf_parse(struct view text, const char *file, const struct conf_key *keys, size_t n, void *out,
               struct err *e) WARN_UNUSED;
/* The same from a file of at most 1 MiB; a file that does not exist is empty. */
int conf_load(const char *path, const struct conf_key *keys, size_t n, void *out,
              struct err *e) WARN_UNUSED;
/* One value, as from a command line; a list grows by it. Error "bad-config" without file and line.
 */
int conf_set(const struct conf_key *keys, size_t n, const char *name, struct view value, void *out,
             struct err *e) WARN_UNUSED;
/* Frees strings and lists of the table's fields; the struct stays the caller's. */
void conf_free(const struct conf_key *keys, size_t n, void *out);

#endif
