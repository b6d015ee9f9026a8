/* Questions and answers over a real talk; the workload is the test itself. */
#include "guest/answers.c"
#include "tests/unit/unit.h"

/* --- the workload, as answers.c calls it --- */

struct workload {
    struct buf said;    /* lines it was given */
    const char *result; /* contents of its result file */
    size_t result_size;
    bool paused, full;
    unsigned n_files;
};

void workload_say(struct workload *w, struct view lines) {
    buf_add(&w->said, lines.p, lines.n);
}

void workload_pause(struct workload *w, bool pause) {
    w->paused = pause;
}

int workload_put(struct workload *w, struct view data, char path[static 32], struct err *e) {
    (void)data;
    if (w->full)
        return err_set(e, "too-large", "full");
    snprintf(path, 32, "/in/%u", w->n_files++);
    return 0;
}

int workload_get(struct workload *w, const char *path, size_t max, struct buf *out, struct err *e) {
    (void)path, (void)max;
    if (!w->result)
        return err_set(e, "bad-workload", "no such file");
    for (size_t i = 0; i < w->result_size; i++)
        buf_add(out, w->result, 1);
    return 0;
}

/* --- guest and customer, joined --- */

#define LOG_MAX 64

struct pair {
    struct keypair *g, *u;
    struct talk *guest, *customer;
    struct answers *a;
    struct workload w;
    bool busy; /* the guest's way out */
    int64_t now;
    struct {
        char type[16];
        char text[2000]; /* text of a 14, the object of a 25930 */
        char code[32];
        int64_t at;
        bool counted;
        struct talk_usage usage;
    } log[LOG_MAX];
    size_t n;
    struct xfer_in *files;
    size_t file_bytes;
    char file_purpose[16];
};

static void to_customer(void *arg, const struct rumor *r, bool stored) {
    struct pair *p = arg;
    struct err e;

    (void)stored;
    if (talk_take(p->customer, r, &e))
        fail_msg("%s", e.text);
}

static void to_guest(void *arg, const struct rumor *r, bool stored) {
    struct pair *p = arg;
    struct err e;

    (void)stored;
    if (talk_take(p->guest, r, &e))
        fail_msg("%s", e.text);
}

static void at_guest(void *arg, const struct talk_msg *m) {
    (void)arg, (void)m;
}

static void at_customer(void *arg, const struct talk_msg *m) {
    struct pair *p = arg;
    char *json = m->o ? cJSON_PrintUnformatted(m->o) : NULL;
    const char *code = fields_get(&m->rumor->f, "error", 1);

    if (!xfer_in_take(p->files, m) && p->n < LOG_MAX) {
        snprintf(p->log[p->n].type, sizeof p->log[0].type, "%s", m->type);
        snprintf(p->log[p->n].text, sizeof p->log[0].text, "%s", json ? json : m->rumor->f.content);
        snprintf(p->log[p->n].code, sizeof p->log[0].code, "%s", code ? code : "");
        p->log[p->n].counted = talk_usage(m->rumor, &p->log[p->n].usage);
        p->log[p->n++].at = p->now;
    }
    cJSON_free(json);
}

static void on_broken(void *arg, const struct err *e) {
    (void)arg;
    fail_msg("broken: %s", e->text);
}

static void on_file(void *arg, const struct xfer_meta *m, struct view data) {
    struct pair *p = arg;

    p->file_bytes = data.n;
    snprintf(p->file_purpose, sizeof p->file_purpose, "%s", m->purpose);
}

static bool guest_busy(void *arg) {
    return ((const struct pair *)arg)->busy;
}

static void join(struct pair *p, bool free_pace) {
    static const struct talk_handler gh = {
        .send = to_customer, .message = at_guest, .broken = on_broken, .busy = guest_busy};
    static const struct talk_handler uh = {
        .send = to_guest, .message = at_customer, .broken = on_broken};
    static const struct xfer_in_handler xh = {.file = on_file};
    const uint8_t job[32] = {1};
    struct err e;

    memset(p, 0, sizeof *p);
    p->g = keypair_new();
    p->u = keypair_new();
    p->guest = talk_new(TALK_GUEST, p->g, keypair_pub(p->u), job, &gh, p);
    p->customer = talk_new(TALK_CUSTOMER, p->u, keypair_pub(p->g), job, &uh, p);
    p->files = xfer_in_new(XFER_FILE_MAX, &xh, p);
    assert_int_equal(talk_send(p->guest, "hello", view_of(NULL, 0), NULL, &e), 0);
    assert_int_equal(talk_send(p->customer, "accept", view_of(NULL, 0), NULL, &e), 0);
    p->a = answers_new(p->guest, NULL, free_pace);
    answers_workload(p->a, &p->w);
    p->n = 0;
    p->now = 1000000;
}

static void part(struct pair *p) {
    answers_free(p->a);
    xfer_in_free(p->files);
    talk_free(p->guest);
    talk_free(p->customer);
    keypair_free(p->g);
    keypair_free(p->u);
    buf_free(&p->w.said);
}

static void pass_time(struct pair *p, int64_t ms) {
    for (int64_t end = p->now + ms; p->now < end; p->now += ANSWERS_TICK_MS) {
        answers_tick(p->a, p->now);
        talk_tick(p->guest, p->now);
        talk_tick(p->customer, p->now);
    }
}

static void ask(struct pair *p, uint8_t id, const char *text) {
    const uint8_t full[32] = {id};

    answers_ask(p->a, full, view_str(text));
}

/* A line of the workload's about question `id`; body begins behind the id. */
static void says(struct pair *p, const char *type, uint8_t id, const char *body) {
    cleanup_free char *line =
        mem_fmt("{\"t\":\"%s\",\"id\":\"%02x%062d\"%s%s}", type, id, 0, *body ? "," : "", body);
    struct contract_msg m;
    struct err e;

    if (contract_parse(view_str(line), &m, &e))
        fail_msg("%s: %s", line, e.text);
    answers_message(p->a, &m);
    contract_msg_free(&m);
}

static unsigned count(const struct pair *p, const char *type) {
    unsigned n = 0;

    for (size_t i = 0; i < p->n; i++)
        n += !strcmp(p->log[i].type, type);
    return n;
}

static size_t find(const struct pair *p, const char *type) {
    for (size_t i = 0; i < p->n; i++)
        if (!strcmp(p->log[i].type, type))
            return i;
    fail_msg("no '%s' came", type);
    return 0;
}

static bool given(const struct pair *p, const char *what) {
    return p->w.said.n && strstr((const char *)p->w.said.p, what);
}

/* --- tests --- */

static void an_answer_comes_in_its_order(void **state) {
    struct pair p;

    (void)state;
    join(&p, false);
    p.w.result = "x";
    p.w.result_size = 1000;
    ask(&p, 7, "how many?");
    pass_time(&p, 100);
    assert_true(given(&p, "\"t\":\"ask\"") && given(&p, "how many?"));
    says(&p, "delta", 7, "\"text\":\"forty\"");
    says(&p, "table", 7, "\"columns\":[\"n\"],\"rows\":[[\"42\"]],\"total\":1");
    says(&p, "file", 7, "\"path\":\"/out/r\",\"name\":\"r.csv\",\"mime\":\"text/csv\"");
    pass_time(&p, 300);
    says(&p, "delta", 7, "\"text\":\"-two\"");
    says(&p, "done", 7, "");
    pass_time(&p, 300);
    assert_true(find(&p, "delta") < find(&p, "table"));
    assert_int_equal(find(&p, "text"), p.n - 1);
    assert_string_equal(p.log[p.n - 1].text, "forty-two");
    assert_string_equal(p.log[p.n - 1].code, "");
    assert_int_equal(p.file_bytes, 1000);
    assert_non_null(strstr(p.log[find(&p, "table")].text, "\"file\":\""));
    assert_true(answers_idle(p.a));
    part(&p);
}

static void what_was_counted_goes_with_the_answer(void **state) {
    struct pair p;

    (void)state;
    join(&p, false);
    ask(&p, 1, "q");
    pass_time(&p, 50);
    says(&p, "done", 1,
         "\"usage\":{\"prompt\":12,\"completion\":48,\"finish\":\"length\",\"ms\":3}");
    pass_time(&p, 50);
    assert_true(p.log[find(&p, "text")].counted);
    assert_int_equal(p.log[find(&p, "text")].usage.prompt, 12);
    assert_int_equal(p.log[find(&p, "text")].usage.completion, 48);
    assert_string_equal(p.log[find(&p, "text")].usage.finish, "length");
    p.n = 0;
    ask(&p, 2, "q");
    pass_time(&p, 50);
    says(&p, "done", 2, "\"usage\":{\"prompt\":-1,\"completion\":\"many\"}");
    pass_time(&p, 50);
    assert_false(p.log[find(&p, "text")].counted);
    part(&p);
}

static void deltas_keep_their_rhythm(void **state) {
    struct pair p;

    (void)state;
    join(&p, false);
    ask(&p, 1, "slow");
    pass_time(&p, 50);
    says(&p, "delta", 1, "\"text\":\"a\"");
    pass_time(&p, 3000);
    assert_in_range(count(&p, "delta"), 11, 12);
    for (size_t i = 1; i < p.n; i++)
        assert_int_equal(p.log[i].at - p.log[i - 1].at, ANSWERS_PACE_MS);
    part(&p);
}

static void free_pace_sends_text_as_it_comes(void **state) {
    struct pair p;

    (void)state;
    join(&p, true);
    ask(&p, 1, "fast");
    pass_time(&p, 1000);
    assert_int_equal(count(&p, "delta"), 0);
    says(&p, "delta", 1, "\"text\":\"a\"");
    pass_time(&p, 50);
    assert_int_equal(count(&p, "delta"), 1);
    part(&p);
}

/* Over a slow relay text waits, and goes out in one piece. */
static void deltas_wait_for_what_is_on_its_way(void **state) {
    struct pair p;

    (void)state;
    join(&p, true);
    ask(&p, 1, "fast");
    pass_time(&p, 50);
    p.busy = true;
    for (int i = 0; i < 5; i++) {
        says(&p, "delta", 1, "\"text\":\"a\"");
        pass_time(&p, 500);
    }
    assert_int_equal(count(&p, "delta"), 0);
    p.busy = false;
    pass_time(&p, 50);
    assert_int_equal(count(&p, "delta"), 1);
    assert_non_null(strstr(p.log[find(&p, "delta")].text, "\"aaaaa\""));
    part(&p);
}

static void questions_wait_for_each_other_and_for_files(void **state) {
    struct pair p;
    struct xfer_meta m = {.name = "a.csv"};

    (void)state;
    join(&p, false);
    answers_hold(p.a, true);
    ask(&p, 1, "first");
    ask(&p, 2, "second");
    pass_time(&p, 500);
    assert_false(given(&p, "first"));
    answers_hold(p.a, false);
    answers_file(p.a, (const uint8_t[32]){9}, &m, view_str("x"));
    pass_time(&p, 500);
    assert_true(given(&p, "a.csv"));
    assert_false(given(&p, "first")); /* the workload still reads the file */
    {
        cleanup_free char *line = mem_fmt("{\"t\":\"done\",\"id\":\"%032d\"}", 0);
        struct contract_msg done;

        assert_int_equal(contract_parse(view_str(line), &done, NULL), 0);
        answers_message(p.a, &done);
        contract_msg_free(&done);
    }
    pass_time(&p, 100);
    assert_true(given(&p, "first"));
    assert_false(given(&p, "second"));
    says(&p, "done", 1, "");
    pass_time(&p, 200);
    assert_true(given(&p, "second"));
    part(&p);
}

static void words_about_another_question_are_dropped(void **state) {
    struct pair p;

    (void)state;
    join(&p, false);
    ask(&p, 1, "q");
    pass_time(&p, 50);
    says(&p, "delta", 2, "\"text\":\"wrong\"");
    says(&p, "done", 2, "");
    says(&p, "done", 1, "");
    pass_time(&p, 100);
    assert_string_equal(p.log[find(&p, "text")].text, "");
    assert_int_equal(count(&p, "text"), 1);
    part(&p);
}

static void a_failure_is_an_answer_with_a_code(void **state) {
    struct pair p;

    (void)state;
    join(&p, false);
    ask(&p, 1, "q");
    pass_time(&p, 50);
    says(&p, "error", 1, "\"code\":\"bad-sql\",\"message\":\"near x\"");
    pass_time(&p, 100);
    assert_string_equal(p.log[find(&p, "text")].code, "bad-sql");
    assert_string_equal(p.log[find(&p, "text")].text, "near x");
    part(&p);
}

static void a_file_that_cannot_be_taken_is_told(void **state) {
    struct pair p;
    struct xfer_meta m = {.name = "a.csv"};

    (void)state;
    join(&p, false);
    p.w.full = true;
    answers_file(p.a, (const uint8_t[32]){9}, &m, view_str("x"));
    assert_string_equal(p.log[find(&p, "text")].code, "too-large");
    assert_false(given(&p, "a.csv"));
    part(&p);
}

static void a_result_that_cannot_be_read_fails_the_answer(void **state) {
    struct pair p;

    (void)state;
    join(&p, false);
    ask(&p, 1, "q");
    pass_time(&p, 50);
    says(&p, "file", 1, "\"path\":\"/out/../etc\",\"name\":\"r\",\"mime\":\"text/csv\"");
    says(&p, "done", 1, "");
    pass_time(&p, 100);
    assert_string_equal(p.log[find(&p, "text")].code, "bad-workload");
    part(&p);
}

static void a_long_answer_comes_as_a_file(void **state) {
    struct pair p;
    cleanup_buf struct buf body = {0};

    (void)state;
    join(&p, true);
    ask(&p, 1, "q");
    pass_time(&p, 50);
    buf_str(&body, "\"text\":\"");
    for (int i = 0; i < 30000; i++)
        buf_str(&body, "x");
    buf_str(&body, "\"");
    says(&p, "delta", 1, (const char *)body.p);
    says(&p, "delta", 1, (const char *)body.p);
    pass_time(&p, 1000);
    says(&p, "done", 1, "");
    pass_time(&p, 1000);
    assert_int_equal(p.file_bytes, 60000);
    assert_string_equal(p.file_purpose, "text");
    assert_string_equal(p.log[find(&p, "text")].text, "");
    part(&p);
}

static void endless_text_is_cut_off(void **state) {
    struct pair p;
    cleanup_buf struct buf body = {0};

    (void)state;
    join(&p, false);
    ask(&p, 1, "q");
    pass_time(&p, 50);
    buf_str(&body, "\"text\":\"");
    for (int i = 0; i < 60000; i++)
        buf_str(&body, "x");
    buf_str(&body, "\"");
    for (int i = 0; i < 20; i++)
        says(&p, "delta", 1, (const char *)body.p);
    pass_time(&p, 100);
    assert_true(p.w.paused);
    assert_true(given(&p, "\"t\":\"cancel\""));
    assert_string_equal(p.log[find(&p, "text")].code, "too-large");
    part(&p);
}

static void a_table_is_cut_to_one_message(void **state) {
    struct pair p;
    cleanup_buf struct buf body = {0};
    size_t i;

    (void)state;
    join(&p, false);
    ask(&p, 1, "q");
    pass_time(&p, 50);
    buf_str(&body, "\"columns\":[\"c\"],\"total\":200,\"rows\":[");
    for (int k = 0; k < 200; k++)
        buf_fmt(&body, "%s[\"%0250d\"]", k ? "," : "", k);
    buf_str(&body, "]");
    says(&p, "table", 1, (const char *)body.p);
    says(&p, "done", 1, "");
    pass_time(&p, 300);
    i = find(&p, "table");
    assert_non_null(strstr(p.log[i].text, "\"columns\":[\"c\"]"));
    assert_int_equal(count(&p, "text"), 1);
    part(&p);
}

static void cancelling(void **state) {
    struct pair p;

    (void)state;
    join(&p, false);
    ask(&p, 1, "running");
    ask(&p, 2, "waiting");
    pass_time(&p, 50);
    answers_cancel(p.a, (const uint8_t[32]){2});
    assert_string_equal(p.log[find(&p, "text")].code, "cancelled");
    assert_false(given(&p, "cancel"));
    answers_cancel(p.a, (const uint8_t[32]){1});
    assert_true(given(&p, "\"t\":\"cancel\""));
    answers_cancel(p.a, (const uint8_t[32]){3}); /* of nobody: nothing happens */
    part(&p);
}

static void too_many_questions_are_refused(void **state) {
    struct pair p;

    (void)state;
    join(&p, false);
    for (uint8_t i = 0; i <= QUESTIONS_MAX; i++)
        ask(&p, i, "q");
    assert_string_equal(p.log[find(&p, "text")].code, "busy");
    assert_int_equal(count(&p, "text"), 1);
    part(&p);
}

static void a_dead_workload_answers_everything(void **state) {
    struct pair p;
    struct err e;

    (void)state;
    join(&p, false);
    ask(&p, 1, "a");
    ask(&p, 2, "b");
    pass_time(&p, 50);
    err_set(&e, "workload-died", "it died");
    answers_fail(p.a, &e);
    pass_time(&p, 100);
    ask(&p, 3, "c");
    assert_int_equal(count(&p, "text"), 3);
    for (size_t i = 0; i < p.n; i++)
        if (!strcmp(p.log[i].type, "text"))
            assert_string_equal(p.log[i].code, "workload-died");
    assert_true(answers_idle(p.a));
    part(&p);
}

static void loading_is_told_on_the_question_that_waits(void **state) {
    struct pair p;
    struct xfer_meta m = {.name = "a.csv"};
    cleanup_free char *line = mem_fmt(
        "{\"t\":\"progress\",\"id\":\"%032d\",\"done\":5,\"total\":9,\"unit\":\"bytes\"}", 0);
    struct contract_msg progress;

    (void)state;
    join(&p, false);
    answers_file(p.a, (const uint8_t[32]){9}, &m, view_str("x"));
    ask(&p, 3, "q");
    assert_int_equal(contract_parse(view_str(line), &progress, NULL), 0);
    answers_message(p.a, &progress);
    contract_msg_free(&progress);
    pass_time(&p, 600);
    assert_non_null(strstr(p.log[find(&p, "progress")].text, "\"e\":\"0300"));
    assert_non_null(strstr(p.log[find(&p, "progress")].text, "\"done\":5"));
    part(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_comes_in_its_order),
        cmocka_unit_test(what_was_counted_goes_with_the_answer),
        cmocka_unit_test(deltas_keep_their_rhythm),
        cmocka_unit_test(deltas_wait_for_what_is_on_its_way),
        cmocka_unit_test(free_pace_sends_text_as_it_comes),
        cmocka_unit_test(questions_wait_for_each_other_and_for_files),
        cmocka_unit_test(words_about_another_question_are_dropped),
        cmocka_unit_test(a_failure_is_an_answer_with_a_code),
        cmocka_unit_test(a_file_that_cannot_be_taken_is_told),
        cmocka_unit_test(a_result_that_cannot_be_read_fails_the_answer),
        cmocka_unit_test(a_long_answer_comes_as_a_file),
        cmocka_unit_test(endless_text_is_cut_off),
        cmocka_unit_test(a_table_is_cut_to_one_message),
        cmocka_unit_test(cancelling),
        cmocka_unit_test(too_many_questions_are_refused),
        cmocka_unit_test(a_dead_workload_answers_everything),
        cmocka_unit_test(loading_is_told_on_the_question_that_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
