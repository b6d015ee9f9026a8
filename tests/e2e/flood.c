/* A relay that sends more offers than anybody wants, the real program in a terminal in front of it,
 * and a stopwatch from a key pressed to the screen that shows it.
 *
 *   build/e2e/flood CDVM EVENTS A_SECOND
 *
 * Prints "quiet MEDIAN P95 MAX", "flood MEDIAN P95 MAX" (milliseconds), "sent N SECONDS",
 * "memory KIB", "said 0|1" (the screen tells that offers were not kept). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <vterm.h>

#include "core/dvm.h"
#include "core/enc.h"
#include "core/offer.h"

#define KEYS 200 /* sellers */
#define ROWS 24
#define COLS 80
#define QUIET_PRESSES 20
#define PRESSES 60
#define PAUSE_MS 90
#define DEADLINE_MS 20000

static int64_t now_us(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void die(const char *what) {
    perror(what);
    exit(2);
}

/* --- the relay --- */

/* One websocket text frame with the event of an offer, as a server sends it. */
static void frame_put(struct buf *out, uint32_t i, const struct keypair *k) {
    struct offer o = {.job_kind = KIND_JOB_CHAT, .vcpus = 8, .memory_mib = 65536, .n_relays = 1};
    cleanup_buf struct buf json = {0};
    struct event *ev;

    o.price_msat = i * 7919u % 100000u + 1000;
    snprintf(o.d, sizeof o.d, "offer-%u", i);
    snprintf(o.name, sizeof o.name, "model %u", i);
    snprintf(o.provider_name, sizeof o.provider_name, "seller %u", i % KEYS);
    snprintf(o.privacy, sizeof o.privacy, "sev-snp");
    snprintf(o.price_unit, sizeof o.price_unit, "job");
    snprintf(o.workload_name, sizeof o.workload_name, "chat");
    snprintf(o.model, sizeof o.model, "none");
    snprintf(o.model_name, sizeof o.model_name, "model-%u", i % 97);
    snprintf(o.vcpu_type, sizeof o.vcpu_type, "EPYC-v4");
    memset(o.workload, 'a', 64);
    memcpy(o.workload + 64, ":2048", 6);
    snprintf(o.relays[0], sizeof o.relays[0], "wss://relay.example");
    ev = offer_make(&o, k, time(NULL) - 100000 + i);
    buf_str(&json, "[\"EVENT\",\"offers\",");
    event_json(ev, &json);
    buf_str(&json, "]");
    event_free(ev);
    buf_u8(out, 0x81);
    buf_u8(out, 126);
    buf_u16be(out, (uint16_t)json.n);
    buf_add(out, json.p, json.n);
}

struct flood {
    struct buf frames;
    size_t *at; /* where each begins; one more */
    uint32_t n;
};

static void flood_make(struct flood *f, uint32_t n) {
    struct keypair *key[KEYS];

    f->at = mem_new((n + 1) * sizeof *f->at);
    f->n = n;
    for (size_t i = 0; i < KEYS; i++)
        key[i] = keypair_new();
    for (uint32_t i = 0; i < n; i++) {
        frame_put(&f->frames, i, key[i % KEYS]);
        f->at[i + 1] = f->frames.n;
    }
}

static void send_all(int fd, struct view v) {
    while (v.n > 0) {
        ssize_t n = write(fd, v.p, v.n);

        if (n < 0)
            exit(0); /* the program has left */
        v = view_of(v.p + n, v.n - (size_t)n);
    }
}

/* RFC 6455, section 4.2.2. */
static void handshake(int fd) {
    static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
                      NAME[] = "sec-websocket-key:";
    char in[8192] = "", both[128], *key;
    uint8_t sha[20];
    cleanup_buf struct buf out = {0};
    size_t n = 0;

    while (!strstr(in, "\r\n\r\n") && n < sizeof in - 1) {
        ssize_t got = read(fd, in + n, sizeof in - 1 - n);

        if (got <= 0)
            exit(0);
        n += (size_t)got;
        in[n] = 0;
    }
    key = strcasestr(in, NAME);
    if (!key)
        exit(2);
    key += sizeof NAME - 1;
    key += strspn(key, " ");
    snprintf(both, sizeof both, "%.*s%s", (int)strcspn(key, "\r"), key, GUID);
    EVP_Digest(both, strlen(both), sha, NULL, EVP_sha1(), NULL);
    buf_str(&out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
                  "Upgrade\r\nSec-WebSocket-Accept: ");
    base64_encode(view_of(sha, sizeof sha), &out);
    buf_str(&out, "\r\n\r\n");
    send_all(fd, buf_view(&out));
}

/* Waits for a byte on `go`, then sends so many a second; says on `told` how many in what time. */
static void relay(int listener, int go, int told, const struct flood *f, uint32_t a_second) {
    static const char EOSE[] = "\x81\x11[\"EOSE\",\"offers\"]";
    int fd = accept(listener, NULL, NULL);
    char byte, words[64];
    int64_t began;
    uint32_t i = 0;

    handshake(fd);
    send_all(fd, view_of(EOSE, sizeof EOSE - 1));
    if (read(go, &byte, 1) != 1)
        exit(0);
    began = now_us();
    while (i < f->n) {
        uint32_t due = (uint32_t)((now_us() - began) * a_second / 1000000);

        due = due > f->n ? f->n : due;
        if (due > i)
            send_all(fd, view_of(f->frames.p + f->at[i], f->at[due] - f->at[i]));
        i = due;
        usleep(5000);
    }
    snprintf(words, sizeof words, "sent %u %.1f\n", i, (double)(now_us() - began) / 1e6);
    (void)!write(told, words, strlen(words));
    pause();
}

static int listen_here(uint16_t *port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 1) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        die("listen");
    *port = ntohs(a.sin_port);
    return fd;
}

/* --- the terminal --- */

struct term {
    int fd, pid;
    VTerm *vt;
    VTermScreen *screen;
};

static void term_start(struct term *t, const char *cdvm, uint16_t port) {
    struct winsize ws = {.ws_row = ROWS, .ws_col = COLS};
    char url[64];

    snprintf(url, sizeof url, "ws://127.0.0.1:%u", port);
    t->pid = forkpty(&t->fd, NULL, NULL, &ws);
    if (t->pid < 0)
        die("forkpty");
    if (t->pid == 0) {
        setenv("TERM", "xterm-256color", 1);
        execl(cdvm, cdvm, "tui", "--relay", url, (char *)NULL);
        _exit(127);
    }
    t->vt = vterm_new(ROWS, COLS);
    vterm_set_utf8(t->vt, 1);
    t->screen = vterm_obtain_screen(t->vt);
    vterm_screen_reset(t->screen, 1);
}

static bool shows(const struct term *t, const char *words) {
    char text[ROWS * COLS * 4 + 1];
    size_t n =
        vterm_screen_get_text(t->screen, text, sizeof text - 1, (VTermRect){0, ROWS, 0, COLS});

    text[n] = 0;
    return strstr(text, words) != NULL;
}

/* Takes what the program draws until the screen shows the words; false when time is over. */
static bool until(struct term *t, const char *words, int ms) {
    int64_t end = now_us() + (int64_t)ms * 1000;

    for (;;) {
        struct pollfd p = {.fd = t->fd, .events = POLLIN};
        int left = (int)((end - now_us()) / 1000);
        char bytes[65536];
        ssize_t n;

        if (words && shows(t, words))
            return true;
        if (left <= 0 || poll(&p, 1, left) <= 0)
            return false;
        n = read(t->fd, bytes, sizeof bytes);
        if (n <= 0)
            return false;
        vterm_input_write(t->vt, bytes, (size_t)n);
    }
}

static int order(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* s sorts anew, and the status line says by what: from key to that. */
static void press(struct term *t, const char *name, size_t n) {
    static const char *const SAYS[] = {"sorted by price", "sorted by model",  "sorted by provider",
                                       "sorted by seen",  "sorted by newest", "sorted by proven"};
    static size_t turn;
    int64_t took[PRESSES];

    for (size_t i = 0; i < n; i++) {
        int64_t at;

        (void)until(t, NULL, PAUSE_MS);
        at = now_us();
        if (write(t->fd, "s", 1) != 1 || !until(t, SAYS[turn++ % COUNT(SAYS)], DEADLINE_MS)) {
            fprintf(stderr, "a key got no answer\n");
            exit(1);
        }
        took[i] = now_us() - at;
    }
    qsort(took, n, sizeof *took, order);
    printf("%s %.1f %.1f %.1f\n", name, (double)took[n / 2] / 1e3, (double)took[n * 95 / 100] / 1e3,
           (double)took[n - 1] / 1e3);
}

static void print_memory(int pid) {
    char path[64], line[256];
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, "VmHWM:", 6))
            printf("memory %ld\n", strtol(line + 6, NULL, 10));
    if (f)
        fclose(f);
}

int main(int argc, char **argv) {
    struct flood f = {0};
    struct term t = {0};
    int go[2], told[2], listener, server;
    char words[64] = "";
    uint16_t port;

    if (argc != 4)
        return 64;
    flood_make(&f, (uint32_t)strtoul(argv[2], NULL, 10));
    listener = listen_here(&port);
    if (pipe(go) != 0 || pipe(told) != 0 || (server = fork()) < 0)
        die("fork");
    if (server == 0) {
        signal(SIGPIPE, SIG_DFL);
        relay(listener, go[0], told[1], &f, (uint32_t)strtoul(argv[3], NULL, 10));
    }
    close(listener);
    term_start(&t, argv[1], port);
    if (!until(&t, "No offers on these relays", DEADLINE_MS)) {
        fprintf(stderr, "the program does not come up\n");
        return 1;
    }
    press(&t, "quiet", QUIET_PRESSES);
    (void)!write(go[1], "g", 1);
    press(&t, "flood", PRESSES);
    if (read(told[0], words, sizeof words - 1) > 0)
        fputs(words, stdout);
    printf("said %d\n", until(&t, "not kept", DEADLINE_MS));
    print_memory(t.pid);
    (void)!write(t.fd, "q", 1);
    (void)until(&t, NULL, 500);
    kill(server, SIGTERM);
    kill(t.pid, SIGTERM);
    return 0;
}
