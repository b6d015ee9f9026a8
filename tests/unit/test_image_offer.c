/* Offer templates: what a NAME.offer sells, and the sentence for one that cannot be sold. */
#include "provider/image_offer.c"

#include <unistd.h>

#include "tests/unit/unit.h"

struct fixture {
    char dir[64];
    struct image m;
    struct err e;
};

/* Two workloads and a model of 512 MiB, as image_open would have them: in the order of their names.
 */
static int start(void **state) {
    static struct fixture f;

    f = (struct fixture){.dir = "/tmp/cdvm-test-offer-XXXXXX"};
    assert_non_null(mkdtemp(f.dir));
    f.m.n_volumes = 3;
    f.m.volume[0] = (struct image_volume){.name = "chat", .volume.blocks = 256};
    f.m.volume[1] = (struct image_volume){.name = "small", .is_model = true};
    f.m.volume[1].volume.blocks = 512 << 8;
    f.m.volume[2] = (struct image_volume){.name = "table", .volume.blocks = 256};
    *state = &f;
    return 0;
}

static int stop(void **state) {
    struct fixture *f = *state;

    image_drop_offers(&f->m);
    remove_tree(f->dir);
    return 0;
}

static void put(struct fixture *f, const char *name, const char *text) {
    cleanup_free char *path = mem_fmt("%s/%s", f->dir, name);

    assert_int_equal(file_write(path, view_str(text), 0600, true, &f->e), 0);
}

static void without_templates_each_workload_is_an_offer(void **state) {
    struct fixture *f = *state;

    assert_int_equal(image_read_offers(&f->m, f->dir, &f->e), 0);
    assert_int_equal(f->m.n_offers, 2);
    assert_string_equal(f->m.offer[0].d, "chat");
    assert_string_equal(f->m.offer[1].d, "table");
    assert_ptr_equal(f->m.offer[1].work, &f->m.volume[2]);
    assert_null(f->m.offer[1].model);
    assert_string_equal(f->m.offer[1].broker, "none");
    assert_int_equal(f->m.offer[1].job_kind, KIND_JOB_TOOL);
}

static void a_template_is_one_offer(void **state) {
    struct fixture *f = *state;

    put(f, "talk.offer",
        "# a chat\nworkload = chat\nmodel=small\nmemory = 2048\nvcpus = 2\n"
        "name = Talk\nabout = In confidence.\n");
    put(f, "sums.offer", "workload = table\nkind = tool\n");
    assert_int_equal(image_read_offers(&f->m, f->dir, &f->e), 0);
    assert_int_equal(f->m.n_offers, 2);
    assert_string_equal(f->m.offer[0].d, "sums");
    assert_null(f->m.offer[0].name);
    assert_int_equal(f->m.offer[0].memory_mib, 0);
    assert_string_equal(f->m.offer[1].d, "talk");
    assert_ptr_equal(f->m.offer[1].work, &f->m.volume[0]);
    assert_ptr_equal(f->m.offer[1].model, &f->m.volume[1]);
    assert_int_equal(f->m.offer[1].job_kind, KIND_JOB_CHAT);
    assert_int_equal(f->m.offer[1].memory_mib, 2048);
    assert_int_equal(f->m.offer[1].vcpus, 2);
    assert_string_equal(f->m.offer[1].name, "Talk");
    assert_string_equal(f->m.offer[1].about, "In confidence.");
}

static void a_bad_template_is_named_with_its_line(void **state) {
    static const struct {
        const char *text, *where, *why;
    } rows[] = {
        {"kind = tool\n", "x.offer: ", "names no volume"},
        {"\nworkload = tabel\n", "x.offer:2: ", "no tabel.vol (`cdvm image pack`"},
        {"workload = small\n", "x.offer:1: ", "'small' is a model"},
        {"workload = chat\nmodel = table\n", "x.offer:2: ", "'table' is a workload"},
        {"workload = chat\nmodel = big\n", "x.offer:2: ", "no big.vol (`cdvm image model`"},
        {"workload = chat\nmodel = small\n# memory = 9\nmemory = 600\n",
         "x.offer:4: ", "need 641 MiB"},
        {"workload = chat\nmemory = lots\n", "x.offer:2: ", "memory"},
        {"workload = chat\nkind = talk\n", "x.offer:2: ", "kind"},
        {"workload = chat\nprice = 5\n", "x.offer:2: ", "price"},
        {"workload = chat\nmodel = small\nbroker = abc\n", "x.offer:3: ", "64 hex"},
        {"workload = chat\nbroker = "
         "0000000000000000000000000000000000000000000000000000000000000001\n",
         "x.offer:2: ", "no sealed model"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        put(f, "x.offer", rows[i].text);
        assert_int_equal(image_read_offers(&f->m, f->dir, &f->e), -1);
        if (!strstr(f->e.text, rows[i].where) || !strstr(f->e.text, rows[i].why))
            fail_msg("row %zu: '%s'", i, f->e.text);
        image_drop_offers(&f->m);
    }
}

static void a_sealed_model_brings_its_owner(void **state) {
    struct fixture *f = *state;

    f->m.volume[1].sealed = true;
    memset(f->m.volume[1].broker, 0xab, 32);
    put(f, "x.offer", "workload = chat\nmodel = small\n");
    assert_int_equal(image_read_offers(&f->m, f->dir, &f->e), 0);
    assert_memory_equal(f->m.offer[0].broker, "abababab", 8);
    assert_int_equal(strlen(f->m.offer[0].broker), 64);
    image_drop_offers(&f->m);
    put(f, "x.offer",
        "workload = chat\nmodel = small\nbroker = "
        "0000000000000000000000000000000000000000000000000000000000000001\n");
    assert_int_equal(image_read_offers(&f->m, f->dir, &f->e), -1);
    assert_non_null(strstr(f->e.text, "names another owner"));
    image_drop_offers(&f->m);
}

static void other_files_are_not_templates(void **state) {
    struct fixture *f = *state;

    put(f, ".hidden.offer", "nonsense");
    put(f, "a b.offer", "nonsense");
    put(f, "x.offer~", "nonsense");
    put(f, ".offer", "nonsense");
    assert_int_equal(image_read_offers(&f->m, f->dir, &f->e), 0);
    assert_int_equal(f->m.n_offers, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_templates_each_workload_is_an_offer, start, stop),
        cmocka_unit_test_setup_teardown(a_template_is_one_offer, start, stop),
        cmocka_unit_test_setup_teardown(a_bad_template_is_named_with_its_line, start, stop),
        cmocka_unit_test_setup_teardown(a_sealed_model_brings_its_owner, start, stop),
        cmocka_unit_test_setup_teardown(other_files_are_not_templates, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
