/* The relay client against whatever a relay says: one message a line. Bytes 1 to 4 stand for things
 * that an input could not guess: a good event, one of another kind, the id that waits for its OK,
 * the id of the AUTH in flight. Only verified events that were asked for may come up. */
#include "core/relay.c"

#include "core/enc.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

static struct loop *loop;
static struct keypair *key;
static struct buf good, other, good_id;
static struct ws_handler handler;
static void *handler_arg;

/* In place of core/ws.c: a connection that takes everything. */
struct ws *ws_connect(struct ws_net *n, const char *url, size_t max_msg, bool public_only,
                      const struct ws_handler *h, void *arg, struct err *e) {
    (void)n, (void)url, (void)max_msg, (void)public_only, (void)e;
    handler = *h;
    handler_arg = arg;
    return (struct ws *)&loop;
}
int ws_send(struct ws *w, struct view text, struct err *e) {
    (void)e;
    MUST(w && text.n > 2 && text.p[0] == '[' && text.p[text.n - 1] == ']');
    return 0;
}
void ws_close(struct ws *w) {
    (void)w;
}
struct loop *ws_loop(struct ws_net *n) {
    (void)n;
    return loop;
}

static void on_event(void *arg, struct relay *r, const char *sub, const struct event *ev) {
    uint8_t id[32];

    (void)arg, (void)r;
    fields_id(&ev->f, id);
    MUST(memcmp(id, ev->f.id, sizeof id) == 0 && ev->f.kind == 1);
    MUST(strcmp(sub, "s") == 0);
}
static void on_text_for(void *arg, struct relay *r, const char *sub, const char *why) {
    (void)arg, (void)r;
    MUST(sub && why && utf8_valid(view_str(why)));
}
static void on_ok(void *arg, struct relay *r, const uint8_t id[32], bool ok, const char *why) {
    (void)arg, (void)r, (void)ok, (void)id;
    MUST(utf8_valid(view_str(why)));
}

static struct event *signed_note(uint32_t kind) {
    struct fields f = fields_new(kind, 1700000000, view_str("hello"));

    return event_sign(&f, key);
}

static void set_up(void) {
    static const uint8_t sk[32] = {1};
    struct event *a, *b;
    char hex[65];

    loop = loop_new(NULL);
    key = keypair_from(sk, NULL);
    a = signed_note(1);
    b = signed_note(2);
    event_json(a, &good);
    event_json(b, &other);
    hex_encode(view_of(a->f.id, 32), hex);
    buf_str(&good_id, hex);
    event_free(a);
    event_free(b);
}

static void expand(struct relay *r, struct view line, struct buf *out) {
    char hex[65];

    for (size_t i = 0; i < line.n; i++)
        switch (line.p[i]) {
        case 1:
            buf_add(out, good.p, good.n);
            break;
        case 2:
            buf_add(out, other.p, other.n);
            break;
        case 3:
            buf_add(out, good_id.p, good_id.n);
            break;
        case 4:
            hex_encode(view_of(r->auth_id, 32), hex);
            buf_str(out, hex);
            break;
        default:
            buf_add(out, line.p + i, 1);
        }
}

static struct relay *fresh(void) {
    static const struct relay_handler h = {.event = on_event, .closed = on_text_for, .ok = on_ok};
    struct relay *r = relay_new(NULL, "ws://relay.example", key, &h, NULL, NULL);
    struct event *ev = signed_note(1);

    MUST(r && relay_subscribe(r, "s", "{\"kinds\":[1]}", NULL) == 0);
    MUST(relay_publish(r, ev, NULL) == 0);
    event_free(ev);
    start(r);
    handler.open(handler_arg);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct relay *r;

    if (!loop)
        set_up();
    r = fresh();
    while (size) {
        const uint8_t *nl = memchr(data, '\n', size);
        size_t n = nl ? (size_t)(nl - data) : size;
        cleanup_buf struct buf msg = {0};

        expand(r, view_of(data, n), &msg);
        handler.text(handler_arg, buf_view(&msg));
        data += n + (nl != NULL);
        size -= n + (nl != NULL);
    }
    relay_free(r);
    return 0;
}
