/* Loading a guest image: made here of small pieces, so that each can be changed. */
#include "provider/image.c"

#include "tests/unit/unit.h"

#define DATA_BLOCKS 200 /* two levels of tree: 2 + 1 blocks */

struct fixture {
    char dir[64];
    struct err e;
};

static void put(struct fixture *f, const char *name, struct view bytes) {
    cleanup_free char *path = mem_fmt("%s/%s", f->dir, name);

    assert_int_equal(file_write(path, bytes, 0600, true, &f->e), 0);
}

static void hash_into(uint8_t *out, const uint8_t *block) {
    uint8_t salted[32 + 4096] = {0};

    memcpy(salted + 32, block, 4096);
    sha256(view_of(salted, sizeof salted), out);
}

/* Independent of veritytree.c: data, root block, two leaf blocks, built by hand. */
static void make_volume_named(struct fixture *f, const char *name, uint8_t root[static 32]) {
    size_t n = (size_t)(DATA_BLOCKS + 3) * 4096;
    cleanup_free uint8_t *v = mem_new(n);
    uint8_t *top = v + (size_t)DATA_BLOCKS * 4096, *leaf = top + 4096;

    for (size_t i = 0; i < (size_t)DATA_BLOCKS * 4096; i++)
        v[i] = (uint8_t)(i * 7 + i / 4096);
    for (size_t i = 0; i < DATA_BLOCKS; i++)
        hash_into(leaf + i * 32, v + i * 4096); /* 128 hashes fill a block exactly */
    hash_into(top, leaf);
    hash_into(top + 32, leaf + 4096);
    hash_into(root, top);
    put(f, name, view_of(v, n));
}

static void make_volume(struct fixture *f, uint8_t root[static 32]) {
    make_volume_named(f, "table.vol", root);
}

static int start(void **state) {
    static struct fixture f;

    f = (struct fixture){.dir = "/tmp/cdvm-test-image-XXXXXX"};
    assert_non_null(mkdtemp(f.dir));
    put(&f, "kernel", view_str("kernel bytes"));
    put(&f, "initrd", view_str("initrd bytes"));
    *state = &f;
    return 0;
}

static int stop(void **state) {
    struct fixture *f = *state;

    remove_tree(f->dir);
    return 0;
}

static int open_table(const struct fixture *f) {
    cleanup_free char *path = mem_fmt("%s/table.vol", f->dir);

    return open(path, O_RDWR | O_CLOEXEC);
}

static void a_root_is_that_of_the_tree_built_by_hand(void **state) {
    struct fixture *f = *state;
    struct volume v;
    uint8_t want[32];
    int fd;

    make_volume(f, want);
    fd = open_table(f);
    assert_int_equal(verity_root(fd, &v, &f->e), 0);
    assert_int_equal(v.blocks, DATA_BLOCKS);
    assert_memory_equal(v.root, want, 32);
    close(fd);
}

/* Every byte counts: data, both levels of the tree, and the padding of each. */
static void a_flipped_byte_anywhere_is_found(void **state) {
    static const off_t at[] = {0,
                               100 * 4096 + 5,
                               (off_t)DATA_BLOCKS * 4096 - 1,
                               (off_t)DATA_BLOCKS * 4096,
                               (off_t)DATA_BLOCKS * 4096 + 4095,
                               (off_t)(DATA_BLOCKS + 1) * 4096,
                               (off_t)(DATA_BLOCKS + 3) * 4096 - 1};
    struct fixture *f = *state;
    struct volume v, whole;
    uint8_t root[32], byte;
    int fd;

    make_volume(f, root);
    fd = open_table(f);
    assert_int_equal(verity_root(fd, &whole, &f->e), 0);
    for (size_t i = 0; i < COUNT(at); i++) {
        assert_int_equal(pread(fd, &byte, 1, at[i]), 1);
        byte ^= 1;
        assert_int_equal(pwrite(fd, &byte, 1, at[i]), 1);
        if (verity_root(fd, &v, &f->e) == 0) /* a root block may change, but then the root does */
            assert_memory_not_equal(v.root, whole.root, 32);
        byte ^= 1;
        assert_int_equal(pwrite(fd, &byte, 1, at[i]), 1);
    }
    assert_int_equal(verity_root(fd, &v, &f->e), 0);
    close(fd);
}

static void sizes_that_fit_no_tree_are_refused(void **state) {
    static const struct {
        uint64_t total, data;
    } rows[] = {{0, 0},
                {1, 0},
                {2, 1},
                {3, 2},
                {129, 128},
                {130, 0},
                {131, 0},
                {132, 129},
                {DATA_BLOCKS + 3, DATA_BLOCKS},
                {16384 + 128 + 1, 16384},
                {16384 + 128 + 2, 0},
                {16385 + 129 + 2 + 1, 16385}};
    struct fixture *f = *state;
    struct volume v;
    int fd;

    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(verity_data_blocks(rows[i].total), rows[i].data);
    put(f, "table.vol", view_str("not whole blocks"));
    fd = open_table(f);
    assert_int_equal(verity_root(fd, &v, &f->e), -1);
    assert_string_equal(f->e.code, "bad-volume");
    close(fd);
}

static void a_piece_is_hashed_as_it_is_sealed(void **state) {
    struct fixture *f = *state;
    uint8_t got[32], want[32];
    int fd = seal_piece(f->dir, "kernel", got, &f->e);
    char b[32] = {0};

    assert_true(fd >= 0);
    sha256(view_str("kernel bytes"), want);
    assert_memory_equal(got, want, 32);
    put(f, "kernel", view_str("other bytes")); /* the file changes, the sealed copy does not */
    assert_int_equal(pread(fd, b, sizeof b, 0), 12);
    assert_string_equal(b, "kernel bytes");
    close(fd);
}

static void what_is_missing_is_named(void **state) {
    struct fixture *f = *state;

    assert_null(image_open(f->dir, &f->e));
    assert_non_null(strstr(f->e.text, "ovmf.fd"));
    assert_non_null(strstr(f->e.text, f->dir));
}

/* --- the base of a release for GPUs --- */

static int base_of(struct fixture *f, const char *word, struct image *m) {
    cleanup_free char *cmdline = mem_fmt("${work} ${model} ${broker}%s", word);
    int rc;

    *m = (struct image){.cmdline = cmdline, .base_fd = -1};
    rc = open_base(m, f->dir, &f->e);
    m->cmdline = NULL;
    return rc;
}

static void the_base_is_the_one_of_the_command_line(void **state) {
    struct fixture *f = *state;
    struct volume v = {.blocks = DATA_BLOCKS};
    cleanup_free char *word = NULL, *other = NULL;
    char text[VOLUME_TEXT];
    struct image m;

    make_volume_named(f, "base.vol", v.root);
    volume_text(&v, text);
    word = mem_fmt(" cdvm.base=%s", text);
    assert_int_equal(base_of(f, word, &m), 0);
    assert_true(volume_same(&m.base, &v));
    close(m.base_fd);
    assert_int_equal(base_of(f, "", &m), 0); /* there, but not this release's */
    assert_int_equal(m.base_fd, -1);

    v.root[31] ^= 1;
    volume_text(&v, text);
    other = mem_fmt(" cdvm.base=%s", text);
    assert_int_equal(base_of(f, other, &m), -1);
    assert_string_equal(f->e.code, "bad-image");
    close(m.base_fd);
}

static void a_base_that_is_missing_is_named(void **state) {
    struct fixture *f = *state;
    struct volume v = {.blocks = 1};
    cleanup_free char *word = NULL;
    char text[VOLUME_TEXT];
    struct image m;

    volume_text(&v, text);
    word = mem_fmt(" cdvm.base=%s", text);
    assert_int_equal(base_of(f, word, &m), -1);
    assert_non_null(strstr(f->e.text, "base.vol"));
}

static void a_base_is_no_workload(void **state) {
    (void)state;
    assert_true(is_volume("table.vol"));
    assert_true(is_volume("basement.vol"));
    assert_false(is_volume("base.vol"));
}

static void every_guest_of_the_release_is_given_it_last(void **state) {
    struct image_volume work = {.fd = 3}, weights = {.fd = 4};
    struct image_offer o = {.work = &work, .model = &weights};
    struct image m = {.base_fd = 5};
    struct vm_disk disk[VM_DISKS_MAX];

    (void)state;
    assert_int_equal(image_disks(&m, &o, disk), 3);
    assert_string_equal(disk[2].serial, "base");
    assert_int_equal(disk[2].fd, 5);
    o.model = NULL;
    assert_int_equal(image_disks(&m, &o, disk), 2);
    assert_string_equal(disk[1].serial, "base");
    m.base_fd = -1;
    assert_int_equal(image_disks(&m, &o, disk), 1);
    assert_int_equal(disk[0].fd, 3);
}

/* --- the check against manifests --- */

struct pieces {
    struct image m;
    struct release r;
    struct manifest w;
};

static void make_pieces(struct pieces *p) {
    static char cmdline[] = "a ${work} ${model} ${broker}";

    memset(p, 0, sizeof *p);
    p->r.cmdline = cmdline;
    p->m.cmdline = cmdline;
    p->m.release = &p->r;
    p->m.n_volumes = 1;
    p->m.volume[0].manifest = &p->w;
    snprintf(p->m.volume[0].name, sizeof p->m.volume[0].name, "table");
}

static void differs_in(struct fixture *f, const struct pieces *p, const char *what) {
    assert_int_equal(image_check(&p->m, &f->e), -1);
    assert_string_equal(f->e.code, "bad-image");
    if (strncmp(f->e.text, what, strlen(what)))
        fail_msg("'%s' is not about %s", f->e.text, what);
}

static void every_piece_is_compared(void **state) {
    struct fixture *f = *state;
    struct pieces p;

    make_pieces(&p);
    assert_int_equal(image_check(&p.m, &f->e), 0);
    p.m.kernel_sha256[31] = 1;
    differs_in(f, &p, "kernel");
    make_pieces(&p);
    p.m.initrd_sha256[0] = 1;
    differs_in(f, &p, "initrd");
    make_pieces(&p);
    p.m.ovmf.sha256[7] = 1;
    differs_in(f, &p, "ovmf.fd");
    make_pieces(&p);
    p.m.lock_sha256[7] = 1;
    differs_in(f, &p, "packages.lock");
    make_pieces(&p);
    p.m.cmdline = "b ${work} ${model} ${broker}";
    differs_in(f, &p, "cmdline.template");
    make_pieces(&p);
    p.m.volume[0].volume.root[5] = 1;
    differs_in(f, &p, "table");
    make_pieces(&p);
    p.m.volume[0].volume.blocks = 1;
    differs_in(f, &p, "table");
}

static void a_volume_is_found_by_its_reference(void **state) {
    struct pieces p;
    char text[VOLUME_TEXT];

    (void)state;
    make_pieces(&p);
    memset(p.m.volume[0].volume.root, 0xab, 32);
    p.m.volume[0].volume.blocks = 77;
    volume_text(&p.m.volume[0].volume, text);
    assert_ptr_equal(image_find(&p.m, text), &p.m.volume[0]);
    text[0] = 'b';
    assert_null(image_find(&p.m, text));
    assert_null(image_find(&p.m, "none"));
    assert_null(image_find(&p.m, ""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_root_is_that_of_the_tree_built_by_hand, start, stop),
        cmocka_unit_test_setup_teardown(a_flipped_byte_anywhere_is_found, start, stop),
        cmocka_unit_test_setup_teardown(sizes_that_fit_no_tree_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(a_piece_is_hashed_as_it_is_sealed, start, stop),
        cmocka_unit_test_setup_teardown(what_is_missing_is_named, start, stop),
        cmocka_unit_test_setup_teardown(the_base_is_the_one_of_the_command_line, start, stop),
        cmocka_unit_test_setup_teardown(a_base_that_is_missing_is_named, start, stop),
        cmocka_unit_test(a_base_is_no_workload),
        cmocka_unit_test(every_guest_of_the_release_is_given_it_last),
        cmocka_unit_test_setup_teardown(every_piece_is_compared, start, stop),
        cmocka_unit_test_setup_teardown(a_volume_is_found_by_its_reference, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
