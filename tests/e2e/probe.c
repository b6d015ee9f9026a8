/* A workload that misbehaves, for tests/e2e/sandbox.sh. The question "escape" makes it try to get
 * out of its sandbox and say for each attempt how it ended ("name=ENOENT", "name=ok"); other
 * questions make it break the contract in one way each. */
#include "guest/workloads/lib/lines.h"
#include "tests/e2e/attempts.h"

static int open_descriptors(void) {
    int n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void describe(struct buf *out) {
    int n_env = 0, n_open = open_descriptors();
    struct utsname u;

    while (environ[n_env])
        n_env++;
    uname(&u);
    for (size_t i = 0; i < COUNT(attempts); i++) {
        long rc;

        errno = 0;
        rc = attempts[i].attempt();
        buf_fmt(out, "%s=%s ", attempts[i].name, rc < 0 ? strerrorname_np(errno) : "ok");
    }
    for (size_t i = 0; i < COUNT(facts); i++) {
        buf_fmt(out, "%s=", facts[i].name);
        facts[i].tell(out);
        buf_str(out, " ");
    }
    buf_fmt(out, "pid=%d ppid=%d uid=%d gid=%d descriptors=%d environment=%d node=%s", getpid(),
            getppid(), getuid(), getgid(), n_open, n_env, u.nodename);
}

/* --- what it says --- */

static void say(struct lines *l, const char *type, const char *id, const char *key,
                const char *value) {
    cleanup_buf struct buf body = {0};
    struct jw w = jw_new(&body);

    jw_kstr(&w, "id", id);
    if (key)
        jw_kstr(&w, key, value);
    lines_say(l, type, buf_view(&body));
}

static void say_file(struct lines *l, const char *id, const char *path) {
    cleanup_buf struct buf body = {0};
    struct jw w = jw_new(&body);

    jw_kstr(&w, "id", id);
    jw_kstr(&w, "path", path);
    jw_kstr(&w, "name", "../../../etc/result\x1b[31m.csv");
    jw_kstr(&w, "mime", "text/csv");
    lines_say(l, "file", buf_view(&body));
}

static void escape(struct lines *l, const char *id) {
    cleanup_buf struct buf list = {0};

    describe(&list);
    say(l, "delta", id, "text", (const char *)list.p);
}

static void link_out(struct lines *l, const char *id) {
    (void)!symlink("/cdvm/job.json", "/out/link");
    say_file(l, id, "/out/link");
}

static void pipe_out(struct lines *l, const char *id) {
    (void)!mkfifo("/out/pipe", 0600);
    say_file(l, id, "/out/pipe");
}

static void folder_out(struct lines *l, const char *id) {
    (void)!mkdir("/out/folder", 0700);
    say_file(l, id, "/out/folder");
}

static void outside(struct lines *l, const char *id) {
    say_file(l, id, "/out/../in/0");
}

static void named(struct lines *l, const char *id) {
    (void)!write_out();
    say_file(l, id, "/out/x");
}

static const char *fill_folder(const char *path) {
    static char block[1 << 20];
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    ssize_t n;

    while ((n = write(fd, block, sizeof block)) > 0)
        ;
    close(fd);
    return n < 0 ? strerrorname_np(errno) : "full";
}

static void fill(struct lines *l, const char *id) {
    say(l, "delta", id, "text", fill_folder("/out/full"));
    unlink("/out/full");
}

static void fill_tmp(struct lines *l, const char *id) {
    say(l, "delta", id, "text", fill_folder("/tmp/full"));
    unlink("/tmp/full");
}

/* Gives up, as most programs do. */
static void filled(struct lines *l, const char *id) {
    (void)l, (void)id;
    fill_folder("/tmp/full");
    _exit(1);
}

static void eat(struct lines *l, const char *id) {
    static const size_t bite = (size_t)1 << 20;
    void *p;

    (void)l, (void)id;
    while ((p = malloc(bite)))
        memset(p, 1, bite);
}

static void bomb(struct lines *l, const char *id) {
    (void)l, (void)id;
    for (;;)
        if (!fork())
            continue;
}

/* To a question that nobody asked: it reaches no customer, but somebody must read it. */
static void gigabyte(struct lines *l, const char *id) {
    char text[60001];

    (void)id;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (size_t n = 0; n < (size_t)1 << 30; n += sizeof text)
        say(l, "delta", "none", "text", text);
}

static void noise(struct lines *l, const char *id) {
    static char block[1 << 20];

    for (int i = 0; i < 1024; i++)
        (void)!write(STDERR_FILENO, block, sizeof block);
    say(l, "delta", id, "text", "quiet");
}

/* Until it is told to stop: the agent has to. */
static void flood(struct lines *l, const char *id) {
    char text[30001];
    cJSON *o = NULL;

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    while (!lines_next(l, 0, &o))
        say(l, "delta", id, "text", text);
    cJSON_Delete(o);
}

static void long_line(struct lines *l, const char *id) {
    static char text[LINE_MAX_BYTES];

    memset(text, 'x', sizeof text - 1);
    say(l, "delta", id, "text", text);
}

static void garbage(struct lines *l, const char *id) {
    (void)l, (void)id;
    (void)!write(STDOUT_FILENO, "\xff\xfe{\n", 4);
}

static void leave(struct lines *l, const char *id) {
    (void)l, (void)id;
    _exit(3);
}

/* The first line of the model: what only a guest with its key can know. */
static void model(struct lines *l, const char *id) {
    char text[81] = "";
    int fd = open("/model/weights", O_RDONLY);
    ssize_t n = read(fd, text, sizeof text - 1);

    text[n < 0 ? 0 : n] = '\0';
    text[strcspn(text, "\n")] = '\0';
    say(l, "delta", id, "text", text);
    close(fd);
}

static const struct {
    const char *question;
    void (*act)(struct lines *l, const char *id);
} acts[] = {
    {"escape", escape},   {"link", link_out}, {"pipe", pipe_out},  {"folder", folder_out},
    {"outside", outside}, {"named", named},   {"fill", fill},      {"fill-tmp", fill_tmp},
    {"filled", filled},   {"eat", eat},       {"bomb", bomb},      {"gigabyte", gigabyte},
    {"noise", noise},     {"flood", flood},   {"long", long_line}, {"garbage", garbage},
    {"leave", leave},     {"model", model},
};

static void answer(struct lines *l, const char *id, const char *question) {
    for (size_t i = 0; i < COUNT(acts); i++)
        if (!strcmp(question, acts[i].question))
            acts[i].act(l, id);
    say(l, "done", id, NULL, NULL);
}

int main(void) {
    struct lines *l = lines_new(STDIN_FILENO, STDOUT_FILENO);
    cJSON *o;

    while (lines_next(l, -1, &o) == 1) {
        const char *type = json_opt(o, "t"), *id = json_opt(o, "id"), *text = json_opt(o, "text");

        if (type && !strcmp(type, "start"))
            lines_say(l, "ready", view_str("\"name\":\"probe\",\"caps\":[]"));
        if (type && id && text && !strcmp(type, "ask"))
            answer(l, id, text);
        cJSON_Delete(o);
    }
    lines_free(l);
    return 0;
}
