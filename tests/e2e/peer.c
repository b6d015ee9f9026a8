/* Host and customer of one guest in one small program, for tests of the guest alone: no relay, no
 * provider, no verdict. It speaks the channel on a UNIX socket that QEMU listens on, passes wraps
 * straight through, keeps blobs in memory, answers report requests with a report that nobody
 * signed, and prints one line for each thing that happens.
 *
 * usage: peer SOCKET [-f FILE]... [-q QUESTION]... [-o OUTDIR] [-w DIR] [-x FAULT]
 * -w: asks once DIR/ask is there, and ends the job once DIR/end is
 * faults: bad-job, twice, unknown-frame, auth-flood, silent, no-accept, cancel */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "core/binding.h"
#include "core/channel.h"
#include "core/enc.h"
#include "core/hash.h"
#include "core/hello.h"
#include "core/loop.h"
#include "core/receipt.h"
#include "core/wrap.h"
#include "core/xfer.h"

#define LIST_MAX 32

struct peer {
    struct loop *loop;
    int fd;
    struct chan_in in;
    struct buf out;
    struct loop_fd *watch;
    struct loop_timer *tick;
    struct keypair *u, *p;
    struct job_request q;
    struct rumor *request;
    struct talk *talk;
    struct xfer_in *files;
    struct xfer_out *up[LIST_MAX];
    const char *file[LIST_MAX], *question[LIST_MAX], *fault, *outdir, *gates;
    size_t n_files, n_questions, n_up, asked, answered;
    uint8_t data[64], asked_id[LIST_MAX][32];
    struct buf blob[LIST_MAX];
    uint8_t blob_sha[LIST_MAX][32];
    size_t n_blobs;
    int64_t start;
    bool ready, ending;
};

static void tell(const struct peer *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void tell(const struct peer *s, const char *fmt, ...) {
    va_list ap;

    printf("%7.3f ", (double)(loop_now() - s->start) / 1000);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
    fflush(stdout);
}

static bool fault(const struct peer *s, const char *name) {
    return s->fault && !strcmp(s->fault, name);
}

/* --- the channel --- */

static void flush(struct peer *s) {
    while (s->out.n) {
        ssize_t n = send(s->fd, s->out.p, s->out.n, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n <= 0)
            break;
        buf_drop(&s->out, (size_t)n);
    }
    loop_fd_want(s->watch, LOOP_IN | (s->out.n ? LOOP_OUT : 0));
}

static void frame(struct peer *s, enum chan_type type, struct view payload) {
    if (chan_put(&s->out, type, payload, NULL))
        abort();
    flush(s);
}

static void send_job(struct peer *s) {
    cleanup_buf struct buf rumor = {0}, json = {0};

    rumor_json(s->request, &rumor);
    if (fault(s, "bad-job"))
        rumor.p[rumor.n / 2] ^= 1;
    buf_fmt(&json, "{\"rumor\":%s,\"relays\":[\"ws://relay.invalid\"],\"time\":%lld}",
            (const char *)rumor.p, (long long)unix_now());
    frame(s, CHAN_JOB, buf_view(&json));
    if (fault(s, "twice"))
        frame(s, CHAN_JOB, buf_view(&json));
}

static void send_auth(struct peer *s) {
    cleanup_buf struct buf bytes = {0};

    if (chan_put_auth(&bytes, 0, view_str("challenge"), NULL))
        abort();
    buf_add(&s->out, bytes.p, bytes.n);
    flush(s);
}

static void on_state(struct peer *s, struct view v) {
    tell(s, "STATE %s", chan_state_name(v.p[0]));
    if (v.p[0] == CHAN_BOOTED && !fault(s, "silent"))
        send_job(s);
    if (v.p[0] == CHAN_BOOTED && fault(s, "unknown-frame"))
        frame(s, CHAN_STATE, view_str("x"));
    for (int i = 0; v.p[0] == CHAN_KEYED && i < (fault(s, "auth-flood") ? 21 : 1); i++)
        send_auth(s);
}

static void on_report_req(struct peer *s, struct view v) {
    uint8_t report[1184] = {2};

    if (v.n != 64)
        abort();
    memcpy(s->data, v.p, 64);
    memcpy(report + 0x50, v.p, 64);
    frame(s, CHAN_REPORT, view_of(report, sizeof report));
}

static void on_auth(struct peer *s, struct view v) {
    struct chan_auth a;
    struct event *ev = NULL;

    if (!chan_auth_parse(v, &a, NULL))
        ev = event_parse(a.body, NULL);
    tell(s, "AUTH %s", ev && ev->f.kind == 22242 ? "signed" : "bad");
    event_free(ev);
}

static void on_put(struct peer *s, struct view v) {
    struct chan_blob c;
    struct buf *b = &s->blob[s->n_blobs];

    if (chan_blob_parse(v, &c, NULL) || c.offset != b->n)
        abort();
    buf_add(b, c.data.p, c.data.n);
    if (b->n < c.total)
        return;
    memcpy(s->blob_sha[s->n_blobs++], c.sha256, 32);
    tell(s, "BLOB %zu bytes stored", b->n);
    if (chan_put_blob_status(&s->out, c.sha256, CHAN_BLOB_OK, NULL))
        abort();
    flush(s);
}

static void on_get(struct peer *s, struct view v) {
    struct chan_blob_get g;

    if (chan_blob_get_parse(v, &g, NULL))
        abort();
    for (size_t i = 0; i < s->n_blobs; i++)
        for (size_t at = 0; !memcmp(g.sha256, s->blob_sha[i], 32) && at < s->blob[i].n;
             at += CHAN_BLOB_CHUNK) {
            size_t left = s->blob[i].n - at;
            struct chan_blob c = {.total = s->blob[i].n, .offset = at};

            memcpy(c.sha256, g.sha256, 32);
            c.data = view_of(s->blob[i].p + at, left < CHAN_BLOB_CHUNK ? left : CHAN_BLOB_CHUNK);
            if (chan_put_blob(&s->out, CHAN_BLOB_DATA, &c, NULL))
                abort();
        }
    flush(s);
}

/* --- the customer --- */

static void on_send(void *arg, const struct rumor *r, bool stored) {
    struct peer *s = arg;
    cleanup_buf struct buf json = {0};
    struct event *wrap = wrap_make(r, s->u, NULL, talk_peer(s->talk),
                                   stored ? KIND_WRAP : KIND_WRAP_EPHEMERAL, unix_now(), 0, NULL);

    event_json(wrap, &json);
    frame(s, CHAN_EVENT, buf_view(&json));
    event_free(wrap);
}

static void upload(struct peer *s, const char *path) {
    cleanup_buf struct buf data = {0};
    struct xfer_meta m;
    struct xfer_blob b = {0};
    struct err e;

    if (file_read(path, BUF_MAX, &data, &e)) {
        fprintf(stderr, "%s\n", e.text);
        exit(2);
    }
    xfer_meta_init(&m, strrchr(path, '/') ? strrchr(path, '/') + 1 : path, "text/csv", "file", NULL,
                   buf_view(&data));
    if (data.n <= XFER_INBAND) {
        s->up[s->n_up++] = xfer_out_inband(s->talk, &m, buf_view(&data));
        return;
    }
    if (xfer_blob_make(&m, buf_view(&data), &b, &e))
        abort();
    for (size_t i = 0; i < b.n_parts; i++) {
        memcpy(s->blob_sha[s->n_blobs], b.part_sha[i], 32);
        buf_add(&s->blob[s->n_blobs++], b.parts[i].p, b.parts[i].n);
    }
    if (xfer_blob_message(s->talk, &b, NULL, &e))
        abort();
    xfer_blob_free(&b);
}

static void serve(struct peer *s) {
    struct err e;

    s->ready = true;
    for (size_t i = 0; i < s->n_files; i++)
        upload(s, s->file[i]);
    if (!s->n_questions && talk_send(s->talk, "end", view_of(NULL, 0), NULL, &e))
        abort();
}

/* Whoever runs the test has work of its own to do first. */
static bool open_gate(const struct peer *s, const char *name) {
    cleanup_free char *path = s->gates ? mem_fmt("%s/%s", s->gates, name) : NULL;

    return !path || !access(path, F_OK);
}

static void ask_next(struct peer *s) {
    struct err e;

    if (!open_gate(s, "ask") || !s->ready || s->n_up || s->asked > s->answered ||
        s->asked == s->n_questions)
        return;
    if (talk_send_text(s->talk, view_str(s->question[s->asked]), NULL, s->asked_id[s->asked], &e))
        abort();
    tell(s, "ASK %s", s->question[s->asked++]);
}

static void print_json(const struct peer *s, const char *what, const cJSON *o) {
    char *text = cJSON_PrintUnformatted(o);

    tell(s, "%s %s", what, text);
    cJSON_free(text);
}

static void on_answer(struct peer *s, const struct talk_msg *m) {
    const char *code = fields_get(&m->rumor->f, "error", 1), *to = fields_get(&m->rumor->f, "e", 1);
    char hex[65];

    tell(s, "ANSWER %s %s", code ? code : "ok", m->rumor->f.content);
    hex_encode(view_of(s->asked_id[s->answered], 32), hex);
    if (to && !strcmp(to, hex))
        s->answered++;
}

static void maybe_end(struct peer *s) {
    struct err e;

    if (!s->n_questions || s->answered < s->n_questions || s->ending || !open_gate(s, "end"))
        return;
    s->ending = true;
    if (talk_send(s->talk, "end", view_of(NULL, 0), NULL, &e))
        abort();
}

static void on_receipt(struct peer *s, const struct talk_msg *m) {
    struct event *ev = receipt_event(m->o, NULL);
    struct receipt r;
    struct err e;

    if (!ev || receipt_parse(ev, &r, &e))
        tell(s, "RECEIPT bad");
    else
        tell(s, "RECEIPT %s in %llu out %llu check %d", r.reason, (unsigned long long)r.n_in,
             (unsigned long long)r.n_out, receipt_check(&r, s->talk, &e));
    event_free(ev);
}

static void cancel(struct peer *s) {
    char body[80], hex[65];
    struct err e;

    hex_encode(view_of(s->asked_id[s->answered], 32), hex);
    snprintf(body, sizeof body, "\"e\":\"%s\"", hex);
    if (talk_send(s->talk, "cancel", view_str(body), NULL, &e))
        abort();
    s->fault = NULL;
}

static void on_message(void *arg, const struct talk_msg *m) {
    struct peer *s = arg;

    if (s->files && xfer_in_take(s->files, m))
        return;
    if (!strcmp(m->type, "text"))
        on_answer(s, m);
    else if (!strcmp(m->type, "receipt"))
        on_receipt(s, m);
    else
        print_json(s, m->type, m->o);
    if (!strcmp(m->type, "ready"))
        serve(s);
    if (!strcmp(m->type, "delta") && fault(s, "cancel"))
        cancel(s);
}

static void on_broken(void *arg, const struct err *e) {
    tell(arg, "BROKEN %s %s", e->code, e->text);
}

static void on_file(void *arg, const struct xfer_meta *m, struct view data) {
    struct peer *s = arg;
    uint8_t sha[32];
    char hex[65];

    sha256(data, sha);
    hex_encode(view_of(sha, 32), hex);
    tell(s, "FILE %s %s %zu %s", m->purpose, m->name, data.n, hex);
    if (s->outdir) {
        cleanup_free char *path = mem_fmt("%s/%s", s->outdir, m->name);

        if (file_write(path, data, 0600, true, NULL))
            abort();
    }
}

static void on_want(void *arg, const uint8_t sha256[static 32], uint64_t max) {
    struct peer *s = arg;

    (void)max;
    for (size_t i = 0; i < s->n_blobs; i++)
        if (!memcmp(sha256, s->blob_sha[i], 32))
            xfer_in_blob(s->files, sha256, buf_view(&s->blob[i]));
}

static void accept_guest(struct peer *s, const struct rumor *hello) {
    struct accept a = {.now = unix_now(), .max_minutes = 60};
    cleanup_buf struct buf body = {0};
    uint8_t want[64];
    struct err e;

    binding_report_data(hello->f.pubkey, s->q.customer, s->q.nonce, s->q.id, view_of(NULL, 0),
                        want);
    tell(s, "HELLO binding %s", memcmp(want, s->data, 64) ? "differs" : "right");
    memcpy(a.hello, hello->f.id, 32);
    accept_body(&a, &body);
    if (!fault(s, "no-accept") && talk_send(s->talk, "accept", buf_view(&body), NULL, &e))
        abort();
}

static void on_event(struct peer *s, struct view v) {
    static const struct talk_handler th = {
        .send = on_send, .message = on_message, .broken = on_broken};
    static const struct xfer_in_handler xh = {.file = on_file, .want = on_want};
    struct err e;
    struct event *ev = event_parse(v, &e);
    struct rumor *r = ev ? wrap_open(ev, s->u, NULL, &e) : NULL;
    bool first = r && !s->talk;

    if (!r)
        tell(s, "EVENT refused: %s", e.text);
    if (first) {
        s->talk = talk_new(TALK_CUSTOMER, s->u, r->f.pubkey, s->q.id, &th, s);
        s->files = xfer_in_new(XFER_FILE_MAX, &xh, s);
    }
    if (r && talk_take(s->talk, r, &e))
        tell(s, "RUMOR refused: %s", e.text);
    if (first)
        accept_guest(s, r);
    rumor_free(r);
    event_free(ev);
}

/* --- the loop --- */

static const struct {
    enum chan_type type;
    void (*take)(struct peer *s, struct view v);
} takes[] = {
    {CHAN_STATE, on_state}, {CHAN_EVENT, on_event},  {CHAN_REPORT_REQ, on_report_req},
    {CHAN_AUTH, on_auth},   {CHAN_BLOB_PUT, on_put}, {CHAN_BLOB_GET, on_get},
};

static void on_readable(void *arg, unsigned ready) {
    static uint8_t chunk[CHAN_FEED];
    struct peer *s = arg;
    struct chan_frame f;
    ssize_t n = ready & LOOP_OUT ? (flush(s), 0) : 0;

    if (!(ready & (LOOP_IN | LOOP_HUP)))
        return;
    n = recv(s->fd, chunk, sizeof chunk, MSG_DONTWAIT);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN) {
            tell(s, "CLOSED");
            loop_quit(s->loop);
        }
        return;
    }
    chan_feed(&s->in, view_of(chunk, (size_t)n));
    while (chan_next(&s->in, &f, NULL) == 1)
        for (size_t i = 0; i < COUNT(takes); i++)
            if (takes[i].type == f.type)
                takes[i].take(s, f.payload);
}

static void on_tick(void *arg) {
    struct peer *s = arg;
    struct err e;

    if (s->talk)
        talk_tick(s->talk, loop_now());
    if (s->n_up && xfer_out_step(s->up[s->n_up - 1], &e) == 1)
        xfer_out_free(s->up[--s->n_up]);
    ask_next(s);
    maybe_end(s);
    loop_timer_set(s->tick, loop_now() + 50);
}

static int dial(const char *path) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    for (int i = 0; i < 200; i++) {
        if (!connect(fd, (const struct sockaddr *)&a, sizeof a))
            return fd;
        usleep(10000);
    }
    fprintf(stderr, "cannot reach %s\n", path);
    exit(2);
}

static void make_request(struct peer *s) {
    struct err e;

    s->u = keypair_new();
    s->p = keypair_new();
    s->q.kind = KIND_JOB_TOOL;
    s->q.expires = unix_now() + 3600;
    s->q.n_relays = 1;
    snprintf(s->q.relays[0], sizeof s->q.relays[0], "ws://relay.invalid");
    memcpy(s->q.provider, keypair_pub(s->p), 32);
    random_bytes(s->q.offer, 32);
    random_bytes(s->q.nonce, 32);
    s->request = job_request_make(&s->q, s->u, unix_now(), &e);
    if (!s->request) {
        fprintf(stderr, "%s\n", e.text);
        exit(2);
    }
}

int main(int argc, char **argv) {
    struct peer s = {0};
    int c;

    while ((c = getopt(argc, argv, "f:q:o:w:x:")) != -1)
        switch (c) {
        case 'f':
            s.file[s.n_files++] = optarg;
            break;
        case 'q':
            s.question[s.n_questions++] = optarg;
            break;
        case 'o':
            s.outdir = optarg;
            break;
        case 'w':
            s.gates = optarg;
            break;
        case 'x':
            s.fault = optarg;
            break;
        default:
            return 64;
        }
    if (optind >= argc)
        return 64;
    s.start = loop_now();
    s.loop = loop_new(NULL);
    make_request(&s);
    chan_in_init(&s.in);
    s.fd = dial(argv[optind]);
    s.watch = loop_fd_add(s.loop, s.fd, LOOP_IN, on_readable, &s);
    s.tick = loop_timer_add(s.loop, loop_now() + 50, on_tick, &s);
    loop_run(s.loop);
    return 0;
}
