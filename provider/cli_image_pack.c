/* cdvm image pack: somebody's program as a workload volume. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_image.h"
#include "core/json.h"
#include "jobfile.h"
#include "oci.h"
#include "packing.h"
#include "treecopy.h"
#include "untar.h"

#define USUAL_IMAGE "build/image"
#define USUAL_MAX_MIB 16384
#define USUAL_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* One volume in the making. */
struct pack {
    const struct image_call *c;
    const struct image_options *o;
    const char *name, *image;
    uint64_t max;
    struct stage *s;
    struct oci_image oci; /* {0} without --oci */
    struct buf job;
    bool has_job; /* the tree brought its own */
};

/* --- the tree --- */

static void told_copy(void *arg, uint64_t done) {
    (void)arg;
    image_progress("copying", done, 0);
}

struct told {
    char what[64];
    uint64_t all;
};

static void told_archive(void *arg, uint64_t done) {
    const struct told *t = arg;

    image_progress(t->what, done, t->all);
}

static uint64_t size_of(int fd) {
    struct stat st;

    return fstat(fd, &st) < 0 ? 0 : (uint64_t)st.st_size;
}

static int unpack(struct pack *p, struct stage *s, const char *path, struct err *e) {
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct told t = {.what = "unpacking", .all = fd < 0 ? 0 : size_of(fd)};
    struct untar u = {.stage = s, .max = p->max, .progress = told_archive, .arg = &t};

    if (fd < 0)
        return err_sys(e, errno, "cannot open '%s'", path);
    return untar(&u, fd, e) < 0 ? err_wrap(e, "%s", path) : 0;
}

/* What a layer takes away goes first, then comes what it adds. */
static int add_layer(struct pack *p, int layout, size_t i, unsigned *devices, struct err *e) {
    const struct oci_blob *b = &p->oci.layer[i];
    struct told t = {.all = b->size};
    struct untar u = {.stage = p->s,
                      .as = i ? UNTAR_WHITEOUTS : UNTAR_LAYER,
                      .max = p->max,
                      .progress = told_archive,
                      .arg = &t};
    cleanup_fd int fd = oci_layer_open(layout, b, e);
    int rc = fd < 0 ? -1 : 0;

    snprintf(t.what, sizeof t.what, "layer %zu of %zu", i + 1, p->oci.n_layers);
    image_say("%s, %llu KiB", t.what, (unsigned long long)(b->size >> 10));
    if (rc == 0 && u.as == UNTAR_WHITEOUTS) {
        rc = untar(&u, fd, e);
        u.as = UNTAR_LAYER;
        if (rc == 0 && lseek(fd, 0, SEEK_SET) < 0)
            rc = err_sys(e, errno, "cannot read it again");
    }
    if (rc == 0)
        rc = untar(&u, fd, e);
    *devices += u.devices;
    return rc < 0 ? err_wrap(e, "%s", t.what) : 0;
}

static int add_layers(struct pack *p, int layout, struct err *e) {
    unsigned devices = 0;

    if (oci_read(layout, p->o->ref, &p->oci, e) < 0)
        return -1;
    for (size_t i = 0; i < p->oci.n_layers; i++)
        if (add_layer(p, layout, i, &devices, e) < 0)
            return -1;
    if (devices)
        image_say("%u device nodes of /dev are left out", devices);
    return 0;
}

static int add_layout(struct pack *p, const char *folder, struct err *e) {
    cleanup_fd int layout = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (layout < 0)
        return err_sys(e, errno, "cannot open '%s'", folder);
    return add_layers(p, layout, e);
}

static int add_oci(struct pack *p, struct err *e) {
    cleanup_free char *name = mem_fmt("%s.layout", p->name);
    struct stat st;
    struct stage *layout;
    int rc;

    if (stat(p->o->oci, &st) < 0)
        return err_sys(e, errno, "cannot open '%s'", p->o->oci);
    if (S_ISDIR(st.st_mode))
        return add_layout(p, p->o->oci, e) < 0 ? err_wrap(e, "%s", p->o->oci) : 0;
    layout = packing_stage(p->image, name, p->max, e);
    rc = layout ? unpack(p, layout, p->o->oci, e) : -1;
    if (rc == 0 && add_layout(p, stage_path(layout), e) < 0)
        rc = err_wrap(e, "%s", p->o->oci);
    stage_free(layout);
    return rc;
}

static int fill(struct pack *p, struct err *e) {
    const struct image_options *o = p->o;

    if (!!o->dir + !!o->tar + !!o->oci != 1)
        return err_set(e, "usage", "one of --dir, --tar and --oci says what to pack");
    if (o->dir)
        return treecopy(p->s, o->dir, told_copy, NULL, e);
    return o->tar ? unpack(p, p->s, o->tar, e) : add_oci(p, e);
}

/* --- its job --- */

static const char * or (const char *given, const char *usual) {
    return given && *given ? given : usual;
}

static const char *variable(const struct jobfile *j, const char *name) {
    size_t n = strlen(name);

    for (size_t i = j->n_env; i-- > 0;)
        if (!strncmp(j->env[i], name, n) && j->env[i][n] == '=')
            return j->env[i] + n + 1;
    return NULL;
}

/* The image's own, then those of the command line; what every program counts on where both are
 * silent. */
static void choose_env(const struct pack *p, bool plain, const char **env, struct jobfile *j) {
    const struct image_options *o = p->o;

    j->env = env;
    for (size_t i = 0; i < p->oci.env.n; i++)
        env[j->n_env++] = p->oci.env.v[i];
    for (size_t i = 0; i < o->env.n; i++)
        env[j->n_env++] = o->env.v[i];
    if (plain && !variable(j, "HOME"))
        env[j->n_env++] = "HOME=/tmp";
    if (plain && !variable(j, "PATH"))
        env[j->n_env++] = "PATH=" USUAL_PATH;
}

/* Words behind "--" stand for all of the image's own. */
static const char **choose_argv(const struct pack *p, struct jobfile *j) {
    char *const *given = p->c->rest ? p->c->rest : p->oci.argv.v;
    size_t n = p->c->rest ? 0 : p->oci.argv.n;
    const char **argv;

    while (p->c->rest && given[n])
        n++;
    argv = mem_new((n + 1) * sizeof *argv);
    for (size_t i = 0; i < n; i++)
        argv[i] = given[i];
    j->argv = argv;
    j->n_argv = n;
    return argv;
}

/* A container that knows nothing of us counts on several processes, on /proc and on /dev. */
static void choose_limits(const struct image_options *o, bool plain, struct jobfile *j) {
    const struct jobfile_limit all[] = {
        {"files", o->files ? o->files
                  : plain  ? 256
                           : 0},
        {"in_mib", o->in},
        {"memory_mib", o->memory},
        {"out_mib", o->out},
        {"processes", o->processes ? o->processes
                      : plain      ? 64
                                   : 0},
        {"sockets", o->sockets},
        {"system", plain && !o->bare},
        {"tmp_mib", o->tmp  ? o->tmp
                    : plain ? 64
                            : 0},
    };

    memcpy(j->limit, all, sizeof all);
    j->n_limits = COUNT(all);
}

static int write_job(struct pack *p, struct err *e) {
    const struct image_options *o = p->o;
    bool plain = strcmp(or (o->mode, "plain"), "contract") != 0;
    struct jobfile j = {.mode = or (o->mode, "plain"),
                        .name = or (o->name, p->name),
                        .cwd = or (o->cwd, or (p->oci.cwd, "")),
                        .uid = jobfile_uid(o->uid)};
    cleanup_free const char **argv = choose_argv(p, &j);
    cleanup_free const char **env = mem_new((p->oci.env.n + o->env.n + 3) * sizeof *env);
    cleanup_free char *program = NULL;

    choose_env(p, plain, env, &j);
    if (j.n_argv && !(program = packing_program(p->s, argv[0], j.cwd,
                                                or (variable(&j, "PATH"), USUAL_PATH), e)))
        return -1;
    if (program)
        argv[0] = program;
    if (!o->uid && p->oci.user)
        j.uid = jobfile_uid(packing_user(p->s, p->oci.user));
    choose_limits(o, plain, &j);
    return jobfile_json(&j, &p->job, e);
}

/* A tree of ours has its job file already; words on the command line make a new one. */
static int take_own_job(struct pack *p, struct err *e) {
    cleanup_fd int fd = p->o->oci || p->c->rest ? -1 : stage_open(p->s, "cdvm/job.json");
    uint8_t text[JOBFILE_MAX];
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text);
    cJSON *o;

    if (n <= 0)
        return n < 0 ? err_sys(e, errno, "cannot read cdvm/job.json") : 0;
    o = json_parse(view_of(text, (size_t)n), JOBFILE_MAX, e);
    cJSON_Delete(o);
    if (!o)
        return err_wrap(e, "cdvm/job.json");
    buf_add(&p->job, text, (size_t)n);
    p->has_job = true;
    return 0;
}

static int check_mode(const struct image_options *o, struct err *e) {
    if (!o->mode || !strcmp(o->mode, "plain") || !strcmp(o->mode, "contract"))
        return 0;
    return err_set(e, "usage", "--mode is 'plain' or 'contract'");
}

static int make_job(struct pack *p, struct err *e) {
    if (take_own_job(p, e) < 0)
        return -1;
    return p->has_job ? 0 : write_job(p, e);
}

/* --- the volume --- */

static int finish(struct pack *p, struct err *e) {
    cleanup_free char *json = mem_fmt("%s/%s.json", p->image, p->name);
    struct volume v;
    char text[VOLUME_TEXT];

    if (p->o->unpacked) {
        stage_keep(p->s);
        p->s = NULL;
        return 0;
    }
    image_say("packing %llu MiB", (unsigned long long)(stage_bytes(p->s) >> 20));
    if (packing_volume(p->s, p->image, p->name, true, &v, e) < 0 ||
        file_write(json, buf_view(&p->job), 0644, true, e) < 0)
        return -1;
    volume_text(&v, text);
    printf("%s  %s/%s.vol\n", text, p->image, p->name);
    return image_describe_one(p->o, p->image, p->name, e);
}

static int pack(struct pack *p, struct err *e) {
    if (image_check_name(p->name, e) < 0 || check_mode(p->o, e) < 0)
        return -1;
    p->s = p->o->unpacked ? stage_new(p->o->unpacked, p->max, e)
                          : packing_stage(p->image, p->name, p->max, e);
    if (!p->s || fill(p, e) < 0 || make_job(p, e) < 0 || packing_furnish(p->s, &p->job, e) < 0)
        return -1;
    return finish(p, e);
}

static int run_pack(const struct image_call *c) {
    struct pack p = {.c = c,
                     .o = c->o,
                     .name = c->word[0],
                     .image = or (c->o->image, USUAL_IMAGE),
                     .max = (c->o->max_size ? c->o->max_size : USUAL_MAX_MIB) << 20};
    struct err e;
    int rc = pack(&p, &e);

    stage_free(p.s);
    oci_free(&p.oci);
    buf_free(&p.job);
    return rc < 0 ? image_complain(&e) : 0;
}

#define NUMBER(word, field, least, most, help)                                                     \
    { word, CONF_NUMBER, OPTION_AT(field), least, most, NULL, help }

static const struct conf_key pack_keys[] = {
    {"dir", CONF_STRING, OPTION_AT(dir), 0, 0, NULL, "pack this folder"},
    {"tar", CONF_STRING, OPTION_AT(tar), 0, 0, NULL, "pack this archive (tar, also gzip or zstd)"},
    {"oci", CONF_STRING, OPTION_AT(oci), 0, 0, NULL, "pack this OCI layout: a folder or a tar"},
    {"ref", CONF_STRING, OPTION_AT(ref), 0, 0, NULL, "which image of the layout, by its name"},
    {"image", CONF_STRING, OPTION_AT(image), 0, 0, NULL, "guest image folder (build/image)"},
    {"unpacked", CONF_STRING, OPTION_AT(unpacked), 0, 0, NULL,
     "leave the canonical tree in this new folder; make no volume"},
    {"mode", CONF_STRING, OPTION_AT(mode), 0, 0, NULL,
     "plain: run for each question (default); contract: speaks cdvm-workload/1"},
    {"name", CONF_STRING, OPTION_AT(name), 0, 60, NULL, "what customers see (NAME)"},
    {"env", CONF_LIST, OPTION_AT(env), 0, 0, NULL, "NAME=value for its environment (repeat)"},
    {"cwd", CONF_STRING, OPTION_AT(cwd), 0, 0, NULL, "folder it starts in"},
    NUMBER("uid", uid, 1000, 60000, "user it runs as (the image's, or 1000)"),
    NUMBER("memory-mib", memory, 16, 1 << 22, "memory for all its processes (512)"),
    NUMBER("in-mib", in, 1, 1 << 16, "files of the customer (256)"),
    NUMBER("out-mib", out, 1, 1 << 16, "files that it makes (64)"),
    NUMBER("tmp-mib", tmp, 1, 1 << 16, "its /tmp (plain: 64, else 16)"),
    NUMBER("processes", processes, 1, 4096, "processes and threads (plain: 64, else 8)"),
    NUMBER("files", files, 8, 65536, "open files of a process (plain: 256, else 64)"),
    {"sockets", CONF_BOOL, OPTION_AT(sockets), 0, 0, NULL, "it may use UNIX sockets"},
    {"bare", CONF_BOOL, OPTION_AT(bare), 0, 0, NULL, "plain, but without /proc and /dev"},
    NUMBER("max-size", max_size, 1, 1 << 24, "MiB that it may unpack to (16384)"),
    {"version", CONF_STRING, OPTION_AT(version), 0, 60, NULL, "of its manifest (0)"},
    NUMBER("seq", seq, 1, 1u << 31, "number that rises with each version (1)"),
    {"repo", CONF_STRING, OPTION_AT(repo), 0, 250, NULL, "where its source is"},
    {"commit", CONF_STRING, OPTION_AT(commit), 0, 80, NULL, "which source it was built from"},
    {"licence", CONF_STRING, OPTION_AT(licence), 0, 120, NULL, "of what is packed (MIT)"},
};

const struct image_command image_pack = {
    "pack",
    "NAME [-- PROGRAM [WORD]...]",
    "make NAME.vol of somebody's program: a folder, an archive, or any OCI image for linux/amd64,\n"
    "which need not know anything of cdvm. It runs as the image says, or as the words behind `--`",
    1,
    1,
    pack_keys,
    COUNT(pack_keys),
    run_pack};
