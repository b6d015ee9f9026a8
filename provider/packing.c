#include "packing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "script.h"

#define PASSWD_MAX ((size_t)1 << 20)

struct stage *packing_stage(const char *image, const char *name, uint64_t max_bytes,
                            struct err *e) {
    cleanup_free char *path = mem_fmt("%s/.%s.%d", image, name, (int)getpid());

    if (mkdir(image, 0755) < 0 && errno != EEXIST) {
        err_sys(e, errno, "cannot make the folder '%s'", image);
        return NULL;
    }
    return stage_new(path, max_bytes, e);
}

int packing_furnish(struct stage *s, const struct buf *job, struct err *e) {
    static const char *const folders[] = {"cdvm", "dev", "in", "model", "out", "proc", "tmp"};

    for (size_t i = 0; i < COUNT(folders); i++)
        if (stage_folder(s, folders[i], e) < 0 || stage_empty(s, folders[i], e) < 0)
            return -1;
    return job ? stage_put(s, "cdvm/job.json", buf_view(job), e) : 0;
}

/* --- the volume --- */

static int take_reference(const struct buf *out, struct volume *v, struct err *e) {
    cleanup_free char *line = mem_strn(out->p, out->n);

    line[strcspn(line, "\n")] = 0;
    return volume_parse(line, v)
               ? 0
               : err_set(e, "script-failed", "make-volume.sh did not print a root hash");
}

int packing_volume(struct stage *s, const char *image, const char *name, bool compress,
                   struct volume *out, struct err *e) {
    cleanup_free char *script = script_find(NULL, "make-volume.sh", e);
    cleanup_free char *path = mem_fmt("%s/%s.vol", image, name);
    cleanup_free char *ref = mem_fmt("%s/%s.volume", image, name);
    char in_place[] = "--in-place", small[] = "--compress";
    char *tree = (char *)(uintptr_t)stage_path(s);
    char *packed[] = {script, in_place, small, tree, path, NULL};
    char *plain[] = {script, in_place, tree, path, NULL};
    cleanup_buf struct buf said = {0};

    if (!script || script_run(compress ? packed : plain, &said, e) < 0 ||
        take_reference(&said, out, e) < 0)
        return -1;
    return file_write(ref, buf_view(&said), 0644, true, e);
}

/* --- what an image says in its own words --- */

static bool is_program(const struct stage *s, const char *path) {
    cleanup_fd int fd = stage_open(s, path + strspn(path, "/"));
    struct stat st;

    return fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0111);
}

static char *along_path(const struct stage *s, const char *word, const char *path) {
    cleanup_free char *copy = mem_str(path);
    char *folder, *rest = copy;

    while ((folder = strsep(&rest, ":"))) {
        char *whole = mem_fmt("%s/%s", folder, word);

        if (folder[0] == '/' && is_program(s, whole))
            return whole;
        free(whole);
    }
    return NULL;
}

char *packing_program(const struct stage *s, const char *word, const char *cwd, const char *path,
                      struct err *e) {
    char *found;

    if (word[0] == '/')
        found = mem_str(word);
    else if (strchr(word, '/'))
        found = mem_fmt("%s/%s", *cwd ? cwd : "", word);
    else
        found = along_path(s, word, path);
    if (found && is_program(s, found))
        return found;
    free(found);
    err_set(e, "bad-image", "the image has no program '%.200s'", word);
    return NULL;
}

/* "name:x:1000:..." */
static bool line_is_of(const char *line, const char *name, size_t n) {
    return strlen(line) > n && !memcmp(line, name, n) && line[n] == ':';
}

static uint64_t passwd_uid(char *text, const char *name, size_t n) {
    char *line, *rest = text;

    while ((line = strsep(&rest, "\n")))
        if (line_is_of(line, name, n)) {
            const char *second = strchr(line + n + 1, ':');

            return second ? strtoull(second + 1, NULL, 10) : 0;
        }
    return 0;
}

uint64_t packing_user(const struct stage *s, const char *user) {
    cleanup_fd int fd = stage_open(s, "etc/passwd");
    cleanup_free char *text = mem_new(PASSWD_MAX + 1);
    size_t n = strcspn(user, ":");

    if (strspn(user, "0123456789") == n && n)
        return strtoull(user, NULL, 10);
    if (fd < 0 || !n || read(fd, text, PASSWD_MAX) < 0)
        return 0;
    return passwd_uid(text, user, n);
}
