/* A hostile other side: any rumors in any order. Numbered ones come up by ones from 0, and the
 * files in them only whole. */
#include "core/hash.h"
#include "core/talk.h"
#include "core/xfer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/script.h"

static int64_t next;
static bool over;
static struct xfer_in *files;
static struct talk *talk;

static void on_send(void *arg, const struct rumor *r, bool stored) {
    (void)arg;
    (void)stored;
    MUST(r->f.content_len <= MSG_CONTENT_MAX);
}
static void on_message(void *arg, const struct talk_msg *m) {
    (void)arg;
    MUST(!over);
    if (m->seq >= 0)
        MUST(m->seq == next++);
    (void)xfer_in_take(files, m);
}
static void on_broken(void *arg, const struct err *e) {
    (void)arg;
    MUST(!over && e->code[0]);
    over = true;
}
static void on_file(void *arg, const struct xfer_meta *m, struct view data) {
    uint8_t sha[32];

    (void)arg;
    sha256(data, sha);
    MUST(data.n == m->size && memcmp(sha, m->sha256, 32) == 0);
    MUST(m->name[0] && m->name[0] != '.' && !strchr(m->name, '/'));
}
static void on_want(void *arg, const uint8_t sha[static 32], uint64_t max) {
    (void)arg;
    MUST(max <= XFER_PART + 16);
    xfer_in_blob(files, sha, view_str("not what was sent"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct talk_handler th = {
        .send = on_send, .message = on_message, .broken = on_broken};
    static const struct xfer_in_handler xh = {.file = on_file, .want = on_want};
    static const uint8_t job[32], peer[32] = {2}, sk[32] = {1};
    struct keypair *me = keypair_from(sk, NULL);
    struct view in = view_of(data, size);
    int64_t now = 1000;
    struct err e;

    next = 0;
    over = false;
    files = xfer_in_new(1 << 16, &xh, NULL);
    talk = talk_new(TALK_CUSTOMER, me, peer, job, &th, NULL);
    while (in.n) {
        struct rumor *r = script_rumor(&in, peer);

        if (r && talk_take(talk, r, &e))
            MUST(e.code[0] && utf8_valid(view_str(e.text)));
        rumor_free(r);
        talk_tick(talk, now += 500);
        if (next == 1 &&
            talk_sent(talk) == 0) /* hello came: accept, so that acks and nacks go out */
            MUST(talk_send(talk, "accept", (struct view){0}, NULL, NULL) == 0);
    }
    talk_free(talk);
    xfer_in_free(files);
    keypair_free(me);
    return 0;
}
