#include "untar.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/text.h"

#define BLOCK ((size_t)65536)
#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"
#define RESERVED ".wh..wh." /* what union file systems keep for themselves */

struct reading {
    struct untar *u;
    struct archive *a;
    uint64_t passed; /* bytes of contents so far */
};

static int broken(const struct reading *r, struct err *e) {
    const char *why = archive_error_string(r->a);
    cleanup_free char *safe = text_safe_new(view_str(why ? why : "unknown"), TEXT_LINE, 120);

    return err_set(e, "bad-archive", "the archive cannot be read: %s", safe);
}

/* --- contents --- */

/* fd -1: read past, counted all the same. */
static int copy_contents(struct reading *r, int fd, struct err *e) {
    uint8_t block[BLOCK];
    la_ssize_t n;

    while ((n = archive_read_data(r->a, block, sizeof block)) > 0) {
        r->passed += (uint64_t)n;
        if (r->passed > r->u->max)
            return err_set(e, "too-large", "it unpacks to more than %llu MiB (--max-size)",
                           (unsigned long long)(r->u->max >> 20));
        if (fd >= 0 && stage_write(r->u->stage, fd, view_of(block, (size_t)n), e) < 0)
            return -1;
        if (r->u->progress)
            r->u->progress(r->u->arg, (uint64_t)archive_filter_bytes(r->a, -1));
    }
    return n < 0 ? broken(r, e) : 0;
}

static int add_file(struct reading *r, struct archive_entry *entry, const char *name,
                    struct err *e) {
    bool executable = archive_entry_perm(entry) & 0111;
    cleanup_fd int fd = stage_file(r->u->stage, name, executable, e);

    return fd < 0 ? -1 : copy_contents(r, fd, e);
}

static bool in_dev(const char *name) {
    name += strspn(name, "./");
    return !strncmp(name, "dev/", 4);
}

static int leave_out(struct reading *r, const char *name, struct err *e) {
    cleanup_free char *safe = text_safe_new(view_str(name), TEXT_LINE, 80);

    if (!in_dev(name))
        return err_set(e, "bad-archive",
                       "'%s' is a device, pipe or socket: only /dev may hold such", safe);
    r->u->devices++;
    return 0;
}

static int add_entry(struct reading *r, struct archive_entry *entry, const char *name,
                     struct err *e) {
    const char *hard = archive_entry_hardlink(entry), *soft = archive_entry_symlink(entry);

    if (hard)
        return stage_link(r->u->stage, name, hard, e);
    switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
        return add_file(r, entry, name, e);
    case AE_IFDIR:
        return stage_folder(r->u->stage, name, e);
    case AE_IFLNK:
        return stage_symlink(r->u->stage, name, soft ? soft : "", e);
    default:
        return leave_out(r, name, e);
    }
}

/* --- whiteouts --- */

static const char *last_part(const char *name) {
    const char *slash = strrchr(name, '/');

    return slash ? slash + 1 : name;
}

static int take_away(struct reading *r, const char *name, struct err *e) {
    const char *last = last_part(name), *what = last + strlen(WHITEOUT);
    cleanup_free char *folder = mem_strn(name, (size_t)(last - name));
    cleanup_free char *gone = mem_fmt("%s%s", folder, what);

    if (!strcmp(last, OPAQUE))
        return stage_empty(r->u->stage, *folder ? folder : ".", e);
    if (!strncmp(last, RESERVED, strlen(RESERVED)))
        return 0;
    if (!*what || !strcmp(what, ".") || !strcmp(what, ".."))
        return err_set(e, "bad-archive", "the layer takes away a file without a name");
    return stage_remove(r->u->stage, gone, e);
}

static int take_entry(struct reading *r, struct archive_entry *entry, struct err *e) {
    const char *name = archive_entry_pathname(entry);
    bool whiteout;

    if (!name || !*name)
        return err_set(e, "bad-archive", "the archive has a name that is not UTF-8, or none");
    whiteout = r->u->as != UNTAR_PLAIN && !strncmp(last_part(name), WHITEOUT, strlen(WHITEOUT));
    if (r->u->as == UNTAR_WHITEOUTS) {
        if (whiteout && take_away(r, name, e) < 0)
            return -1;
        return copy_contents(r, -1, e);
    }
    return whiteout ? 0 : add_entry(r, entry, name, e);
}

static int read_all(struct reading *r, struct err *e) {
    struct archive_entry *entry;
    int rc;

    while ((rc = archive_read_next_header(r->a, &entry)) != ARCHIVE_EOF) {
        if (rc < ARCHIVE_WARN)
            return broken(r, e);
        if (take_entry(r, entry, e) < 0)
            return -1;
    }
    return 0;
}

static int read_from(struct untar *u, int fd, struct err *e) {
    struct reading r = {.u = u, .a = archive_read_new()};
    int rc;

    if (!r.a)
        return err_set(e, "system", "libarchive cannot be used");
    archive_read_support_format_tar(r.a);
    archive_read_support_filter_gzip(r.a);
    archive_read_support_filter_zstd(r.a);
    rc = archive_read_open_fd(r.a, fd, BLOCK) != ARCHIVE_OK ? broken(&r, e) : read_all(&r, e);
    archive_read_free(r.a);
    return rc;
}

/* Names are bytes of UTF-8 whatever the locale of the user. */
int untar(struct untar *u, int fd, struct err *e) {
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), before;
    int rc;

    if (!utf8)
        return err_set(e, "system", "the C library has no locale C.UTF-8");
    before = uselocale(utf8);
    rc = read_from(u, fd, e);
    uselocale(before);
    freelocale(utf8);
    return rc;
}
