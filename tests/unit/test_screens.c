/* Golden screens: every screen at three sizes, in UTF-8 and in ASCII, in every theme, compared with
 * tests/screens/ (golden.h says how these files are read). `make golden` writes them anew. */
#include "tui/draw.c"

#include <inttypes.h>
#include <locale.h>
#include <sys/stat.h>
#include <time.h>

#include "core/enc.h"
#include "tests/unit/tui_world.h"
#include "tests/unit/saved.h"
#include "tui/present.h"
#include "tests/unit/golden.h"
#include "tui/cmd.h"
#include "tui/scr.h"

static FILE *nowhere;
static SCREEN *screen;

/* --- scenes --- */

static struct app *app_over(void) {
    struct app *a = app_chatting();
    struct receipt r = {.n_in = 3, .n_out = 5, .reason = "end"};
    struct teardown t = {.started = NOW, .ended = NOW + 31, .rundir_removed = true};

    later(a, 10000);
    state(a, SESSION_ENDING);
    happens(a, &(struct session_event){.type = SE_RECEIPT, .receipt = &r});
    happens(a, &(struct session_event){.type = SE_TEARDOWN, .teardown = &t});
    state(a, SESSION_ENDED);
    return a;
}

static struct app *scene_first(void) {
    return app_for(0);
}

static struct app *scene_filter(void) {
    struct app *a = app_with_offers();

    type(a, "/llama");
    return a;
}

static struct app *scene_offer(void) {
    struct app *a = app_with_offers();

    app_key(a, K_ENTER);
    return a;
}

static struct app *scene_start(void) {
    struct app *a = scene_offer();

    app_key(a, K_ENTER);
    return a;
}

static struct app *scene_accept(void) {
    struct app *a = app_deciding();

    type(a, "a");
    type(a, "simul");
    return a;
}

static struct app *scene_attach(void) {
    struct app *a = app_ready();

    struct err e;

    mkdir("build", 0755);
    assert_int_equal(file_write("build/ledger.csv", view_str("id,amount\n1,2\n"), 0600, true, &e),
                     0);
    type(a, "/attach build/ledger.csv");
    app_key(a, K_ENTER);
    return a;
}

static struct app *scene_help(void) {
    struct app *a = app_ready();

    app_key(a, K_F1);
    return a;
}

static struct app *scene_failed(void) {
    struct app *a = app_booting();
    struct err why = {"boot-timeout", "the guest did not say hello within 120 s"};

    later(a, 120000);
    happens(a, &(struct session_event){.type = SE_STATE, .state = SESSION_FAILED, .why = &why});
    return a;
}

static struct app *scene_scrolled(void) {
    struct app *a = app_chatting();

    for (int i = 0; i < 40; i++)
        app_chat(a, "guest", ROLE_TEXT, false, view_str("one more line of an answer"));
    app_prepare(a);
    app_key(a, K_PAGE_UP);
    for (int i = 0; i < 3; i++)
        app_chat(a, "guest", ROLE_TEXT, false, view_str("and news"));
    return a;
}

static struct app *scene_passage(void) {
    struct app *a = app_answered_with_sources();

    app_key(a, K_ALT('s'));
    return a;
}

static struct app *scene_passage_alone(void) {
    struct app *a = scene_passage();

    app_key(a, 'n');
    return a;
}

/* A table that is wider and longer than any screen. */
static struct app *scene_table(void) {
    struct app *a = app_ready();
    struct xfer_meta m = {.name = "rate_changes.csv", .size = 4100, .xid = {0xab, 1}};
    cleanup_buf struct buf json = {0};
    cJSON *o;

    buf_str(&json,
            "{\"columns\":[\"contract\",\"clause\",\"notice\",\"amount\",\"since\",\"what the "
            "clause says in one sentence\",\"page\"],\"rows\":[");
    for (int i = 0; i < 60; i++)
        buf_fmt(&json,
                "%s[\"Hosting %d\",\"%d.%d\",%s,\"%d.50\",\"202%d-0%d-01\",\"The supplier may "
                "change rates any time; the customer may only terminate at the end of the "
                "quarter.\",%d]",
                i ? "," : "", (i * 37) % 60, i % 9, i % 4, i % 5 ? "30" : "null", (i * 7919) % 3000,
                i % 6, i % 9 + 1, i + 1);
    buf_str(&json, "],\"total\":812,\"file\":\"ab010000000000000000000000000000\"}");
    o = cJSON_Parse((char *)json.p);
    assert_non_null(o);
    happens(a, &(struct session_event){.type = SE_TABLE, .json = o});
    happens(a, &(struct session_event){.type = SE_FILE, .meta = &m, .data = view_str("a,b\n1")});
    cJSON_Delete(o);
    app_key(a, K_ALT('t'));
    app_prepare(a);
    app_key(a, K_RIGHT);
    app_key(a, K_RIGHT);
    app_key(a, K_RIGHT);
    app_key(a, 's');
    app_key(a, K_DOWN);
    return a;
}

static struct app *scene_cell(void) {
    struct app *a = scene_table();

    app_key(a, K_RIGHT);
    app_key(a, K_RIGHT);
    app_key(a, K_ENTER);
    return a;
}

static struct app *scene_files(void) {
    struct app *a = app_chatting();
    struct xfer_meta bad = {.name = "scan.pdf", .size = 90000, .xid = {5}},
                     in = {.name = "rate_changes.csv", .size = 4100000, .xid = {6}};

    happens(a, &(struct session_event){.type = SE_FILE_FAILED,
                                       .meta = &bad,
                                       .code = "bad-hash",
                                       .text = view_str("its bytes are not those it was sent "
                                                        "with")});
    happens(a, &(struct session_event){.type = SE_FILE_DOWN, .meta = &in, .done = 100000});
    later(a, 8000);
    a->job->file[0].saved = mem_str("~/out/result.csv");
    app_key(a, K_F5);
    return a;
}

static struct app *scene_save(void) {
    struct app *a = app_chatting();

    edit_do(a->input, EDIT_CLEAR);
    type(a, "/get result.csv");
    app_key(a, K_ENTER);
    return a;
}

static struct app *scene_find(void) {
    struct app *a = scene_scrolled();

    app_key(a, K_CTRL('F'));
    type(a, "answer");
    return a;
}

static struct app *scene_found(void) {
    struct app *a = scene_find();

    app_key(a, K_ENTER);
    app_key(a, 'n');
    return a;
}

/* Asked, stopped, asked again and answered, and a command half typed. */
static struct app *scene_asked_again(void) {
    struct app *a = app_with_model();
    struct talk_usage u = {.completion = 96, .finish = "stop"};
    uint8_t ID[32];

    memset(ID, 0x51, 32);
    type(a, "Which contracts allow a rate change without notice, and on which page is that?");
    app_key(a, K_ENTER);
    happens(a, &(struct session_event){.type = SE_SENT, .id = ID});
    happens(a, &(struct session_event){.type = SE_DELTA, .id = ID, .text = view_str("Two of ")});
    happens(a, &(struct session_event){
                   .type = SE_ANSWER, .id = ID, .code = "cancelled", .text = view_str("Two of")});
    app_key(a, K_ALT('r'));
    happens(a, &(struct session_event){.type = SE_DELTA, .id = ID, .text = view_str("Two ")});
    later(a, 4000);
    happens(a, &(struct session_event){.type = SE_ANSWER,
                                       .id = ID,
                                       .usage = &u,
                                       .text = view_str("Two of them: see https://b\xc3\xbc"
                                                        "cher.example/7.3.")});
    type(a, "/res");
    return a;
}

static struct app *scene_attach_three(void) {
    struct app *a = app_with_model();

    type(a, "/attach examples/lease.md examples/medical-note.txt examples/ledger-note.txt");
    app_key(a, K_ENTER);
    return a;
}

/* --- the first start --- */

static struct app *scene_start_who(void) {
    struct app *a = app_for(0);

    app_on_terminal(a, "256 colours, bracketed paste");
    app_first_start(a);
    return a;
}

static struct app *scene_start_relays(void) {
    struct app *a = scene_start_who();

    app_key(a, K_ENTER);
    app_key(a, ' ');
    app_on_tried(a, "wss://relay.damus.io", 41, NULL);
    app_key(a, 'j');
    app_key(a, ' ');
    app_on_tried(a, "wss://nos.lol", -1, "no answer in 8 s");
    app_key(a, 'j');
    app_key(a, 't');
    return a;
}

static struct app *scene_start_strict(void) {
    struct app *a = scene_start_relays();

    app_key(a, K_ENTER);
    app_key(a, 'j');
    app_key(a, ' ');
    return a;
}

static struct app *scene_start_keep(void) {
    struct app *a = scene_start_strict();

    app_key(a, K_ENTER);
    return a;
}

static struct app *scene_start_simulator(void) {
    struct app *a = scene_start_who();

    app_key(a, 's');
    return a;
}

static struct app *scene_palette(void) {
    struct app *a = app_deciding();

    app_key(a, '3');
    app_key(a, ':');
    return a;
}

static struct app *scene_palette_typed(void) {
    struct app *a = app_ready();

    app_key(a, K_ALT('x'));
    type(a, "guest");
    app_prepare(a);
    app_key(a, K_DOWN);
    return a;
}

/* --- settings --- */

static const struct option_relay RELAYS[] = {
    {"wss://relay1.example", RELAY_UP, 41, -1, 1204},
    {"wss://relay2.example", RELAY_UP, 55, -1, 1190},
    {"wss://relay3.example", RELAY_CONNECTING, -1, -1, 0},
    {"wss://relay4.example", RELAY_WAITING, -1, 7400, 0},
    {"wss://relay5.example", RELAY_UP, 420, -1, 31000310},
};

static struct app *scene_settings(void) {
    struct app *a = app_with_offers();
    struct option_policy p = {.endorsers = 3, .agree = 2, .digests = 4, .floors = 1};
    struct err e;

    a->conf.simulated = false;
    policy_preset(&p.policy, POLICY_STRICT);
    p.collateral = NOW - 3 * 86400;
    snprintf(p.endorser[0], sizeof p.endorser[0], "9f3c 71d0 5a1b 20ff");
    snprintf(p.endorser[1], sizeof p.endorser[1], "41aa 0c12 88fe 9d03");
    snprintf(p.endorser[2], sizeof p.endorser[2], "c07e 5510 62a4 e1b8");
    app_on_option_policy(a, &p);
    if (settings_put(&world.set, settings_key("policy"), view_str("strict"), &e) != 0)
        fail_msg("%s", e.text);
    world.set.changed = 0;
    app_on_option_relays(a, RELAYS, COUNT(RELAYS));
    app_key(a, '6');
    return a;
}

static struct app *scene_settings_changed(void) {
    struct app *a = scene_settings();

    app_prepare(a);
    app_key(a, K_DOWN);
    app_key(a, ' '); /* the second relay is switched off */
    app_key(a, 't');
    app_on_tried(a, "wss://relay2.example", -1, "connection refused");
    return a;
}

static struct app *scene_settings_typing(void) {
    struct app *a = scene_settings();

    app_prepare(a);
    for (int i = 0; i < 5; i++)
        app_key(a, K_DOWN);
    app_key(a, K_ENTER);
    type(a, "wss://another.example");
    return a;
}

static struct app *scene_param(void) {
    struct app *a = scene_offer();

    app_key(a, 'p');
    type(a, "system=Answer in one sentence and name the passage.");
    app_key(a, K_ENTER);
    app_key(a, 'p');
    type(a, "temperature=");
    return a;
}

/* A list that lives as long as the program: the scenes of it change nothing on disk. */
static struct app *app_with_identities(void) {
    static struct identities *none;
    struct app *a = app_with_offers();
    struct err e;

    if (!none)
        none = identities_open("build/no-identities", &e);
    a->conf.identities = none;
    return a;
}

static struct app *scene_identity_name(void) {
    struct app *a = app_with_identities();

    app_identity_import(a);
    type(a, "work");
    return a;
}

static struct app *scene_identity_passphrase(void) {
    struct app *a = app_with_identities();

    app_identity_make(a);
    type(a, "work");
    app_key(a, K_ENTER);
    return a;
}

static struct app *scene_signer_address(void) {
    struct app *a = app_with_identities();

    app_identity_remote(a);
    type(a, "away");
    app_key(a, K_ENTER);
    return a;
}

/* One whose key is elsewhere; made anew each time, of what is shown nothing is of chance. */
static struct identities *one_with_a_signer(void) {
    static const char AT[] = "bunker://79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f8"
                             "1798?relay=wss://signer.example";
    static struct identities *there;
    struct signer_url at;
    struct newcomer *n;
    struct err e;

    if (there)
        return there;
    there = identities_open("build/signer-scene", &e);
    assert_non_null(there);
    if (identities_count(there) > 0)
        assert_int_equal(identities_remove(there, "away", &e), 0);
    assert_int_equal(signer_url_parse(view_str(AT), &at, &e), 0);
    n = identities_prepare(there, "away", view_str("long enough"), &e);
    assert_non_null(n);
    assert_int_equal(identities_admit(there, n, &at, at.signer, &e), 0);
    assert_int_equal(identities_choose(there, "away", &e), 0);
    return there;
}

static struct app *app_with_signer(void) {
    struct app *a = app_with_offers();

    a->conf.identities = one_with_a_signer();
    return a;
}

/* The rows of it, and the one that adds another. */
static struct app *scene_signer_row(void) {
    struct app *a = app_with_signer();

    app_key(a, '6');
    app_prepare(a);
    for (int i = 0; i < 4; i++)
        app_key(a, 'j');
    return a;
}

static struct app *scene_signer_start(void) {
    struct app *a = app_with_signer();

    app_key(a, K_ENTER);
    app_ask_start(a);
    return a;
}

/* It is waited for: before a job, and with an address where the person is to say yes. */
static struct app *scene_signer_wait(void) {
    struct app *a = app_with_signer();

    app_on_waits(a, a->now + 47000, NULL);
    return a;
}

static struct app *scene_signer_visit(void) {
    struct app *a = scene_signer_wait();

    app_on_waits(a, a->now + 290000, "https://signer.example/authorise?token=6f1c22e0b7d94a5e");
    return a;
}

/* A job was left by a program that died; read only, so one list serves every scene. */
static struct resume *one_job_left(void) {
    static const uint8_t job[32] = {0x7f, 0x21, 0xab};
    static struct resume *left;
    struct resume_file *f;
    struct err e;

    if (left)
        return left;
    mkdir("build", 0755);
    left = resume_open("build/resume-scene", &e);
    assert_non_null(left);
    if (!resume_on(left))
        assert_int_equal(resume_set(left, view_str("a passphrase"), &e), 0);
    f = resume_file_new(left, job, &e);
    assert_non_null(f);
    assert_int_equal(resume_file_write(f, view_str("{}"), NOW + 420, &e), 0);
    resume_file_free(f);
    return left;
}

static struct app *scene_resume(void) {
    struct app *a = app_with_offers();

    a->conf.resume = one_job_left();
    app_resume_look(a);
    return a;
}

static struct app *scene_resume_passphrase(void) {
    struct app *a = scene_resume();

    app_key(a, 'y');
    type(a, "one of any length");
    return a;
}

static struct app *scene_resume_forget(void) {
    struct app *a = scene_resume();

    app_key(a, K_ESC);
    return a;
}

static struct app *scene_keep(void) {
    struct app *a = app_ready();

    a->conf.resume = one_job_left();
    type(a, "/keep");
    app_key(a, K_ENTER);
    return a;
}

static struct app *scene_identity_typed(void) {
    struct app *a = scene_identity_passphrase();

    type(a, "one of any length");
    return a;
}

static struct app *scene_no_job(void) {
    struct app *a = app_with_offers();

    app_key(a, '2');
    return a;
}

/* Three: one has answered behind the others, one has failed, one is on its way. */
static struct app *scene_jobs(void) {
    struct app *a = app_with_three();

    app_key(a, K_ALT('2'));
    return a;
}

static struct app *scene_job_waits(void) {
    struct app *a = app_deciding();

    app_key(a, K_ESC);
    later(a, 48300);
    return a;
}

/* On hardware with a GPU; files, the conversation and the evidence were saved. */
static struct app *scene_end_kept(void) {
    struct app *a = app_ready();
    struct receipt r = {.n_in = 12, .n_out = 40, .bytes_in = 2100345, .bytes_out = 9120};
    struct teardown t = {.started = NOW, .ended = NOW + 310, .rundir_removed = true};
    struct app_job *j = a->job;

    snprintf(r.reason, sizeof r.reason, "end");
    t.gpus = 1;
    t.gpu_reset = true;
    j->simulated = j->verdict.simulated = false;
    free((char *)a->conf.proven);
    a->conf.proven = mem_str("/home/anna/.local/state/cdvm/proven");
    app_job_keep(j, "file", "/home/anna/results/rates.csv");
    app_job_keep(j, "chat", "/home/anna/results/conversation-7f21.txt");
    app_save_bundle(a, NULL);
    later(a, 300000);
    state(a, SESSION_ENDING);
    happens(a, &(struct session_event){.type = SE_RECEIPT, .receipt = &r});
    happens(a, &(struct session_event){.type = SE_TEARDOWN, .teardown = &t});
    state(a, SESSION_ENDED);
    return a;
}

/* The receipt leaves out what was sent last, and the machine was ended by force. */
static struct app *scene_end_unproven(void) {
    struct app *a = app_ready();
    struct receipt r = {.n_in = 3, .n_out = 5, .reason = "lease"};
    struct teardown t = {.started = NOW, .ended = NOW + 31, .exit_status = 9};

    state(a, SESSION_ENDING);
    happens(a, &(struct session_event){.type = SE_RECEIPT, .receipt = &r, .uncovered = 2});
    happens(a, &(struct session_event){.type = SE_TEARDOWN, .teardown = &t});
    state(a, SESSION_ENDED);
    return a;
}

static struct app *scene_job_over(void) {
    struct app *a = app_over();

    app_key(a, K_ESC);
    return a;
}

/* In the chat of one job while another has news. */
static struct app *scene_elsewhere(void) {
    struct app *a = app_with_three();

    app_on_session(a, 3, &(struct session_event){.type = SE_STATE, .state = SESSION_READY});
    app_go(a, SCR_CHAT);
    return a;
}

static struct app *scene_forget(void) {
    struct app *a = app_over();

    app_key(a, K_ESC);
    app_key(a, 'd');
    return a;
}

/* --- a verdict over real evidence: of a saved bundle, as its job was --- */

static struct saved_world real;
static struct verdict *real_verdict;

static void real_done(void) {
    verdict_free(real_verdict);
    saved_close(&real);
    real_verdict = NULL;
    memset(&real, 0, sizeof real);
}

/* pins: how many of its manifests somebody vouches for. */
static struct app *with_real_verdict(const char *path, size_t pins, struct facts *before) {
    struct app *a = app_booting();
    struct app_verdict v;
    struct facts facts;
    struct err e;

    real_done();
    saved_open(&real, path);
    real.trust.pins.n_digests = pins;
    event_free(real.bundle.receipt);
    event_free(real.bundle.teardown);
    real.bundle.receipt = real.bundle.teardown = NULL;
    real_verdict = saved_verify(&real, real.then);
    app_clock(a, a->now, real.then);
    present_bundle(&real.bundle, real_verdict, &facts, &v);
    v.took_us = 4200;
    if (before) {
        memcpy(before->provider, facts.provider, 32);
        assert_int_equal(known_put(a->known, before, &e), 0);
    }
    state(a, SESSION_VERIFYING);
    app_on_verdict(a, a->job->number, &v);
    state(a, verdict_state(real_verdict) <= CHECK_WARN ? SESSION_DECISION : SESSION_REFUSED);
    app_go(a, SCR_ATTEST);
    return a;
}

static struct app *scene_attest_real(void) {
    return with_real_verdict(SAVED_FIRST, 2, NULL);
}

static struct app *scene_attest_changed(void) {
    struct facts before;
    struct app *a;

    a = with_real_verdict(SAVED_FIRST, 2, NULL);
    before = *a->job->facts;
    before.when -= 3 * 86400;
    app_done(a);
    a = with_real_verdict(SAVED_SECOND, 1, &before);
    later(a, 125000);
    return a;
}

static struct app *scene_evidence(void) {
    struct app *a = scene_attest_changed();

    app_prepare(a);
    app_key(a, 'g');
    for (int i = 0; i < 200 && strcmp(tree_current(a->job->tree)->id, "snp.tcb.floor") != 0; i++) {
        struct tree_row row;

        assert_true(tree_row(a->job->tree, tree_list(a->job->tree)->cur, &row));
        app_key(a, row.folded ? K_RIGHT : 'j');
    }
    app_key(a, 'e');
    return a;
}

static struct app *scene_changes(void) {
    struct app *a = scene_attest_changed();

    app_key(a, 'c');
    return a;
}

/* Not simulated, so that it can be remembered. */
static struct app *scene_accept_warning(void) {
    struct app *a = with_real_verdict(SAVED_FIRST, 1, NULL);

    a->job->verdict.simulated = a->job->facts->simulated = a->job->simulated = false;
    app_key(a, 'a');
    return a;
}

static struct app *scene_accept_again(void) {
    struct app *a = scene_accept_warning();

    type(a, "remember");
    app_key(a, K_ENTER);
    later(a, 7200000);
    app_key(a, 'a');
    return a;
}

/* --- what was saved --- */

static struct app *scene_receipts(void) {
    struct app *a = app_with_offers();
    struct saved_world w;

    world_judge = saved_judge;
    receipts_free(a->receipts);
    a->receipts = receipts_new(saved_folder());
    saved_open(&w, SAVED_FIRST);
    app_clock(a, a->now, w.then + 86400);
    saved_close(&w);
    app_key(a, '7');
    app_resize(a, 24, 80);
    while (app_prepare(a), app_receipts_busy(a))
        continue;
    app_key(a, 'j');
    return a;
}

static struct app *scene_receipts_none(void) {
    struct app *a = app_with_offers();

    app_key(a, '7');
    return a;
}

static struct app *scene_receipt(void) {
    struct app *a = scene_receipts();

    app_key(a, K_ENTER);
    return a;
}

/* Years later the certificates have ended. */
static struct app *scene_receipt_later(void) {
    struct app *a = scene_receipts();

    app_key(a, 'j');
    app_clock(a, a->now, a->unix_now + (int64_t)20 * 365 * 86400);
    app_key(a, K_ENTER);
    return a;
}

static struct app *scene_receipt_then(void) {
    struct app *a = scene_receipt_later();

    app_key(a, 't');
    return a;
}

static struct app *scene_receipt_diff(void) {
    struct app *a = scene_receipts();

    app_key(a, 'j');
    app_key(a, ' ');
    app_key(a, 'k');
    app_key(a, 'd');
    return a;
}

static struct app *scene_receipt_delete(void) {
    struct app *a = scene_receipts();

    app_key(a, 'x');
    return a;
}

static const struct {
    const char *name;
    struct app *(*make)(void);
} SCENES[] = {
    {"first", scene_first},
    {"offers", app_with_offers},
    {"filter", scene_filter},
    {"offer", scene_offer},
    {"start", scene_start},
    {"boot", app_booting},
    {"jobs-none", scene_no_job},
    {"jobs", scene_jobs},
    {"jobs-decision", scene_job_waits},
    {"jobs-over", scene_job_over},
    {"end-kept", scene_end_kept},
    {"end-unproven", scene_end_unproven},
    {"elsewhere", scene_elsewhere},
    {"forget", scene_forget},
    {"attest", app_deciding},
    {"attest-real", scene_attest_real},
    {"attest-changed", scene_attest_changed},
    {"evidence", scene_evidence},
    {"changes", scene_changes},
    {"receipts", scene_receipts},
    {"receipts-none", scene_receipts_none},
    {"receipt", scene_receipt},
    {"receipt-later", scene_receipt_later},
    {"receipt-then", scene_receipt_then},
    {"receipt-diff", scene_receipt_diff},
    {"receipt-delete", scene_receipt_delete},
    {"accept", scene_accept},
    {"accept-warning", scene_accept_warning},
    {"accept-again", scene_accept_again},
    {"ready", app_ready},
    {"chat", app_chatting},
    {"scrolled", scene_scrolled},
    {"attach", scene_attach},
    {"help", scene_help},
    {"end", app_over},
    {"failed", scene_failed},
    {"reading", app_reading},
    {"sources", app_answered_with_sources},
    {"passage", scene_passage},
    {"passage-alone", scene_passage_alone},
    {"attach-three", scene_attach_three},
    {"table", scene_table},
    {"cell", scene_cell},
    {"files", scene_files},
    {"save", scene_save},
    {"find", scene_find},
    {"found", scene_found},
    {"asked-again", scene_asked_again},
    {"param", scene_param},
    {"identity-name", scene_identity_name},
    {"identity-passphrase", scene_identity_passphrase},
    {"identity-typed", scene_identity_typed},
    {"signer-address", scene_signer_address},
    {"signer-row", scene_signer_row},
    {"signer-start", scene_signer_start},
    {"signer-wait", scene_signer_wait},
    {"signer-visit", scene_signer_visit},
    {"resume", scene_resume},
    {"resume-passphrase", scene_resume_passphrase},
    {"resume-forget", scene_resume_forget},
    {"keep", scene_keep},
    {"start-who", scene_start_who},
    {"start-relays", scene_start_relays},
    {"start-strict", scene_start_strict},
    {"start-keep", scene_start_keep},
    {"start-simulator", scene_start_simulator},
    {"palette", scene_palette},
    {"palette-typed", scene_palette_typed},
    {"settings", scene_settings},
    {"settings-changed", scene_settings_changed},
    {"settings-typing", scene_settings_typing},
};
static const int SIZES[][2] = {{60, 16}, {80, 24}, {100, 30}};

/* --- drawing --- */

static void draw_at(struct app *a, int cols, int rows) {
    resizeterm(rows, cols);
    app_resize(a, rows, cols);
    app_prepare(a);
    scr_draw(a);
}

/* Made anew for each: a scene is drawn as it is when it is new. */
static void draw_scene(struct app *(*make)(void), const int size[2], bool ascii, enum theme t) {
    struct app *a;

    world.ascii = ascii;
    draw_start(ascii, t);
    a = make();
    draw_at(a, size[0], size[1]);
    app_done(a);
}

static struct shot *shoot_scene(struct app *(*make)(void), const int size[2], bool ascii) {
    draw_scene(make, size, ascii, THEME_256);
    return shot_take();
}

static const struct {
    enum theme theme;
    const char *name;
} THEMES[] = {{THEME_MONO, "mono"},
              {THEME_8, "8 colours"},
              {THEME_256, "256 colours"},
              {THEME_DARK, "dark"},
              {THEME_LIGHT, "light"}};

static void scene_file(size_t i, struct buf *out) {
    for (size_t k = 0; k < COUNT(SIZES); k++) {
        struct shot *utf8 = shoot_scene(SCENES[i].make, SIZES[k], false);
        struct shot *ascii = shoot_scene(SCENES[i].make, SIZES[k], true);

        shot_write(utf8, out);
        shot_write_ascii(utf8, ascii, out);
        for (size_t t = 0; t < COUNT(THEMES); t++) {
            draw_scene(SCENES[i].make, SIZES[k], false, THEMES[t].theme);
            shot_must_hold(utf8, SCENES[i].name, THEMES[t].name);
        }
        shot_free(utf8);
        shot_free(ascii);
    }
}

static void golden_screens(void **state_) {
    cleanup_buf struct buf faults = {0};

    (void)state_;
    for (size_t i = 0; i < COUNT(SCENES); i++) {
        cleanup_buf struct buf got = {0};

        scene_file(i, &got);
        golden_compare(SCENES[i].name, buf_view(&got), &faults);
    }
    golden_must_be_same(&faults);
}

/* How each role looks in each theme: attributes, and the number of the colour. */
static void look_words(enum role r, struct buf *out) {
    static const struct {
        attr_t bit;
        const char *word;
    } ATTRS[] = {{A_BOLD, " bold"}, {A_DIM, " dim"}, {A_REVERSE, " reverse"}};
    struct look k = theme_look(r);
    short fg = -1, bg = -1;

    if (k.pair != 0)
        pair_content(k.pair, &fg, &bg);
    assert_int_equal(bg, -1); /* never a background of ours */
    buf_fmt(out, fg < 0 ? "  own colour" : "  colour %d", fg);
    for (size_t i = 0; i < COUNT(ATTRS); i++)
        buf_str(out, k.attr & ATTRS[i].bit ? ATTRS[i].word : "");
    buf_str(out, "\n");
}

static void golden_themes(void **state_) {
    static const char *const ROLE[ROLE_COUNT] = {"text", "dim", "title", "accent", "ok",
                                                 "warn", "bad", "sim",   "banner", "cursor"};
    cleanup_buf struct buf got = {0}, faults = {0};

    (void)state_;
    for (size_t t = 0; t < COUNT(THEMES); t++) {
        draw_start(false, THEMES[t].theme);
        buf_fmt(&got, "@ %s\n", THEMES[t].name);
        for (enum role r = 0; r < ROLE_COUNT; r++) {
            buf_fmt(&got, "%c  %-8s", ROLE_LETTERS[r], ROLE[r]);
            look_words(r, &got);
        }
    }
    golden_compare("themes", buf_view(&got), &faults);
    golden_must_be_same(&faults);
}

static bool is_scene(struct view name) {
    for (size_t i = 0; i < COUNT(SCENES); i++)
        if (view_is(name, SCENES[i].name))
            return true;
    return view_is(name, "themes");
}

static void no_file_without_scene(void **state_) {
    (void)state_;
    golden_no_others(is_scene);
}

static bool screen_holds(struct app *a, int cols, int rows, const char *words) {
    struct shot *s;
    bool found = false;

    draw_at(a, cols, rows);
    s = shot_take();
    for (int y = 0; y < rows; y++)
        found |= strstr(s->text[y], words) != NULL;
    shot_free(s);
    return found;
}

/* Any size, any scene: nothing breaks, and too small says so. */
static void every_size_survives(void **state_) {
    (void)state_;
    draw_start(false, THEME_256);
    for (size_t i = 0; i < COUNT(SCENES); i++) {
        struct app *a = SCENES[i].make();

        for (int rows = 1; rows < 40; rows += 3)
            for (int cols = 1; cols < 130; cols += 7) {
                draw_at(a, cols, rows);
                if (cols >= 20 && (rows < SCR_MIN_ROWS || cols < SCR_MIN_COLS))
                    assert_true(screen_holds(a, cols, rows, "enlarge to 60x16"));
            }
        app_done(a);
    }
}

/* The banner is on every screen of a simulated job. */
static void banner_is_everywhere(void **state_) {
    static const uint32_t KEYS[] = {K_ALT('2'), K_ALT('3'), K_ALT('4')};

    (void)state_;
    draw_start(false, THEME_256);
    for (size_t i = 0; i < COUNT(KEYS); i++) {
        struct app *a = app_ready();

        app_key(a, KEYS[i]);
        assert_true(screen_holds(a, 60, 16, "[S] SIMULATED"));
        app_key(a, K_F1);
        app_ask_end(a); /* a question over the help over the screen */
        assert_true(screen_holds(a, 60, 16, "[S] SIMULATED"));
        app_done(a);
    }
}

static int setup(void **state_) {
    (void)state_;
    setenv("TZ", "UTC", 1);
    setenv("LINES", "24", 1);
    setenv("COLUMNS", "80", 1);
    tzset();
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        return -1;
    nowhere = fopen("/dev/null", "r+");
    screen = newterm("xterm-256color", nowhere, nowhere);
    unsetenv("LINES");
    unsetenv("COLUMNS");
    return screen ? 0 : -1;
}

static int teardown(void **state_) {
    (void)state_;
    endwin();
    delscreen(screen);
    fclose(nowhere);
    buf_free(&world.log);
    real_done();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_screens),        cmocka_unit_test(golden_themes),
        cmocka_unit_test(no_file_without_scene), cmocka_unit_test(every_size_survives),
        cmocka_unit_test(banner_is_everywhere),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
