/* Finished jobs as files, for tests of `cdvm verify`: receipt.json; other.json of another job;
 * short.json, whose receipt does not cover the last message; message.json, one of the messages, and
 * disclosed.json, the same with its proof; and
 * the user's pins and sim-roots. usage: bundle FOLDER */
#include "core/disclosure.h"
#include "core/enc.h"
#include "tests/unit/finished.h"

static void save(const char *dir, const char *name, const struct buf *b) {
    cleanup_free char *path = mem_fmt("%s/%s", dir, name);

    world_must(!file_write(path, buf_view(b), 0600, true, NULL));
}

static void save_bundle(const char *dir, const char *name, const struct bundle *b) {
    cleanup_buf struct buf json = {0};

    bundle_json(b, &json);
    save(dir, name, &json);
}

static void save_message(const char *dir, const struct rumor *r) {
    cleanup_buf struct buf json = {0};

    rumor_json(r, &json);
    save(dir, "message.json", &json);
}

static void save_disclosed(const char *dir, const struct bundle *b, const struct rumor *r) {
    cleanup_buf struct buf json = {0};

    world_must(!disclosure_make(b, r, &json, NULL));
    save(dir, "disclosed.json", &json);
}

static void add_line(struct buf *b, const char *word, const uint8_t digest[static 32]) {
    char hex[65];

    hex_encode(view_of(digest, 32), hex);
    buf_fmt(b, "%s%s\n", word, hex);
}

static void save_trust(const char *dir, const struct world *w) {
    cleanup_buf struct buf pins = {0}, roots = {0};

    add_line(&pins, "release ", w->pin[0]);
    add_line(&pins, "workload ", w->pin[1]);
    add_line(&roots, "", w->sim_root);
    save(dir, "pins", &pins);
    save(dir, "sim-roots", &roots);
}

int main(int argc, char **argv) {
    static struct finished f;

    world_must(argc == 2);
    finished_init(&f);
    save_bundle(argv[1], "receipt.json", &f.b);
    save_message(argv[1], f.in[1]);
    save_disclosed(argv[1], &f.b, f.in[1]);
    save_trust(argv[1], &f.w);
    event_free(f.b.receipt);
    f.b.receipt = finished_receipt(&f, FINISHED_IN - 1);
    save_bundle(argv[1], "short.json", &f.b);
    finished_free(&f);
    finished_init(&f);
    save_bundle(argv[1], "other.json", &f.b);
    finished_free(&f);
    return 0;
}
