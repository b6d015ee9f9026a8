/* For tests of the screens and of the model: a world that remembers what the model asked of it,
 * offers, a verdict, and a job brought to a given point. */
#ifndef CDVM_TUI_WORLD_H
#define CDVM_TUI_WORLD_H

#include "tests/unit/unit.h"
#include "core/hash.h"
#include "tui/app.h"

#define NOW 1764000000 /* 2025-11-24 16:00:00 UTC */

/* --- a world that remembers what it was asked --- */

static struct {
    struct buf log, told;
    struct app *app;
    struct offer *offer; /* the simulated one */
    bool ascii, deaf;    /* deaf: everything asked is refused */
    struct settings set;
    uint8_t client[32]; /* as whom a signer was to be met */
} world;

/* What a deaf world answers. */
static int heard(struct err *e) {
    return world.deaf ? err_set(e, "test", "the world is deaf") : 0;
}

static bool port_pinned(void *arg, const uint8_t digest[static 32]) {
    (void)arg;
    return digest[0] == 0;
}

#define SIGNER_MS 60000

static int port_start(void *arg, const struct offer *o, struct err *e) {
    const uint8_t job[32] = {(uint8_t)(0x7f + world.app->last_job), 0x21};
    const struct identity *who = app_identity(world.app);

    (void)arg;
    if (heard(e) != 0)
        return -1;
    if (who && who->signer) { /* nothing starts before it has signed */
        buf_str(&world.log, "introduce;");
        app_on_waits(world.app, world.app->now + SIGNER_MS, NULL);
        return 0;
    }
    app_on_started(world.app, o, job);
    return 0;
}

/* Writes down what was asked; "@2" marks a job that is not the first. */
static inline void asked(unsigned job, const char *what) {
    buf_str(&world.log, what);
    if (job != 1)
        buf_fmt(&world.log, "@%u", job);
}

static int port_confirm(void *arg, unsigned job, const char *id, bool remembered, struct err *e) {
    (void)arg;
    asked(job, remembered ? "confirm again" : "confirm");
    buf_fmt(&world.log, " %s;", id);
    return heard(e);
}

static int port_accept(void *arg, unsigned job, bool simulated, struct err *e) {
    (void)arg;
    asked(job, "accept");
    buf_fmt(&world.log, " %d;", simulated);
    return heard(e);
}

static inline void port_void(void *arg) {
    (void)arg;
}

static inline void port_end(void *arg, unsigned job) {
    (void)arg;
    asked(job, "end");
    buf_str(&world.log, ";");
}

static inline void port_forget(void *arg, unsigned job) {
    (void)arg;
    asked(job, "forget");
    buf_str(&world.log, ";");
}

/* Kept apart: most tests ask what was sent, not what was said aloud. */
static void port_tell(void *arg, const char *words, bool away) {
    (void)arg;
    buf_fmt(&world.told, "%s%s;", words, away ? ", away" : "");
}

static int port_write(void *arg, const char *path, struct view data, struct err *e) {
    (void)arg;
    return heard(e) == 0 ? file_write(path, data, 0600, false, e) : -1;
}

static int port_copy(void *arg, struct view text, struct err *e) {
    (void)arg;
    buf_fmt(&world.log, "copy %.*s;", (int)text.n, (const char *)text.p);
    return heard(e);
}

static int port_edit(void *arg, struct view draft, struct err *e) {
    (void)arg;
    buf_fmt(&world.log, "edit %.*s;", (int)draft.n, (const char *)draft.p);
    return heard(e);
}

static inline void port_quit(void *arg, bool at_once) {
    (void)arg;
    buf_fmt(&world.log, "quit %d;", at_once);
}

static int port_ask(void *arg, unsigned job, struct view text, uint8_t id[static 32],
                    struct err *e) {
    (void)arg;
    memset(id, 0x51, 32);
    asked(job, "ask");
    buf_fmt(&world.log, " %.*s;", (int)text.n, (const char *)text.p);
    return heard(e);
}

static int port_attach(void *arg, unsigned job, const char *path, const char *mime,
                       const uint8_t sha256[static 32], uint8_t xid[static 16], struct err *e) {
    uint8_t now[32];

    (void)arg;
    if (sha256_file(path, now, e) != 0)
        return -1;
    if (memcmp(now, sha256, 32) != 0)
        return err_set(e, "changed-file", "it has changed");
    memset(xid, 7, 16);
    asked(job, "attach");
    buf_fmt(&world.log, " %s %s;", path, mime);
    return heard(e);
}

static int port_cancel(void *arg, unsigned job, const uint8_t id[static 32], struct err *e) {
    (void)arg;
    (void)id;
    asked(job, "cancel");
    buf_str(&world.log, ";");
    return heard(e);
}

static int port_route(void *arg, unsigned job, uint64_t size, const char **server, struct err *e) {
    (void)arg;
    (void)job;
    (void)size;
    *server = NULL;
    return heard(e);
}

static int port_save(void *arg, unsigned job, const char *path, struct err *e) {
    (void)arg;
    asked(job, "save");
    buf_fmt(&world.log, " %s;", path);
    return heard(e);
}

static void port_setting(void *arg, const char *key) {
    (void)arg;
    buf_fmt(&world.log, "setting %s;", key);
}

static void port_probe(void *arg, const char *relay) {
    (void)arg;
    buf_fmt(&world.log, "probe %s;", relay);
}

static int port_meet(void *arg, const struct signer_url *at, const struct keypair *client,
                     struct err *e) {
    (void)arg;
    if (heard(e) != 0)
        return -1;
    memcpy(world.client, keypair_pub(client), 32);
    buf_fmt(&world.log, "meet %s %s;", at->relay[0], at->secret);
    app_on_waits(world.app, world.app->now + SIGNER_MS, NULL);
    return 0;
}

static inline void port_unask(void *arg) {
    (void)arg;
    buf_str(&world.log, "unask;");
}

/* By the world's own trust, where a test has given it one. */
static receipts_judge *world_judge;

static struct verdict *port_judge(void *arg, const struct bundle *b, int64_t at, struct err *e) {
    if (world_judge)
        return world_judge(arg, b, at, e);
    err_set(e, "test", "nobody judges here");
    return NULL;
}

static struct offer *offer_of(unsigned seed, const char *name, const char *provider,
                              const char *privacy, const char *gpu, uint64_t msat);

/* A job of the simulator's offer. */
static int port_resume(void *arg, struct view text, struct err *e) {
    static const uint8_t job[32] = {0x7f, 0x21};
    struct offer *o = offer_of(7, "csv demo", "local sim", "sim", "", 0);

    (void)arg;
    if (heard(e) != 0) {
        offer_free(o);
        return -1;
    }
    buf_fmt(&world.log, "resume %.*s;", (int)text.n, (const char *)text.p);
    app_on_started(world.app, o, job);
    offer_free(o);
    return 0;
}

static const struct app_port PORT = {.pinned = port_pinned,
                                     .start = port_start,
                                     .resume = port_resume,
                                     .confirm = port_confirm,
                                     .accept = port_accept,
                                     .refuse = port_end,
                                     .ask = port_ask,
                                     .attach = port_attach,
                                     .cancel = port_cancel,
                                     .route = port_route,
                                     .save = port_save,
                                     .end = port_end,
                                     .judge = port_judge,
                                     .forget = port_forget,
                                     .quit = port_quit,
                                     .setting = port_setting,
                                     .probe = port_probe,
                                     .meet = port_meet,
                                     .unask = port_unask,
                                     .redraw = port_void,
                                     .suspend = port_void,
                                     .tell = port_tell,
                                     .write = port_write,
                                     .copy = port_copy,
                                     .edit = port_edit};

/* --- what the world holds --- */

static inline struct offer *offer_of(unsigned seed, const char *name, const char *provider,
                                     const char *privacy, const char *gpu, uint64_t msat) {
    struct offer *o = mem_new(sizeof *o);
    uint8_t sk[32] = {0};
    struct keypair *k;
    struct event *ev;
    struct err e;

    sk[31] = (uint8_t)(seed + 1);
    k = keypair_from(sk, &e);
    *o = (struct offer){.job_kind = strstr(name, "csv") ? 5999 : 5050, .vcpus = 8};
    o->memory_mib = 65536;
    o->gpu_count = *gpu ? 1 : 0;
    o->price_msat = msat;
    snprintf(o->d, sizeof o->d, "offer-%u", seed);
    snprintf(o->name, sizeof o->name, "%s", name);
    snprintf(o->about, sizeof o->about, "Private inference in a sealed guest. Nothing is kept.");
    snprintf(o->provider_name, sizeof o->provider_name, "%s", provider);
    snprintf(o->privacy, sizeof o->privacy, "%s", privacy);
    snprintf(o->workload_name, sizeof o->workload_name, "%s",
             o->job_kind == 5999 ? "table" : "chat");
    memset(o->workload, 'a', 64);
    memcpy(o->workload + 64, ":2048", 6);
    snprintf(o->model_name, sizeof o->model_name, "%s", o->job_kind == 5999 ? "none" : name);
    snprintf(o->model, sizeof o->model, "%s", o->job_kind == 5999 ? "none" : o->workload);
    snprintf(o->broker, sizeof o->broker, "none");
    snprintf(o->vcpu_type, sizeof o->vcpu_type, "EPYC-v4");
    snprintf(o->gpu_arch, sizeof o->gpu_arch, "%s", gpu);
    snprintf(o->price_unit, sizeof o->price_unit, "job");
    snprintf(o->limits[0].name, 32, "minutes");
    o->limits[0].value = 60;
    o->n_limits = 1;
    snprintf(o->relays[0], sizeof o->relays[0], "wss://relay.example");
    o->n_relays = 1;
    ev = offer_make(o, k, NOW - 90000 - (int)seed * 4000);
    free(o);
    o = offer_parse(ev, &e);
    if (!o)
        fail_msg("%s", e.text);
    event_free(ev);
    keypair_free(k);
    return o;
}

/* Takes the offer over; its provider was heard of `seen` seconds ago. */
static inline void put_offer(struct app *a, struct offer *o, bool alive, int64_t seen) {
    struct heartbeat h = {.created_at = NOW - seen, .free_slots = 2};
    struct err e;
    struct event *ev = event_parse(view_str(o->json), &e);

    if (!ev)
        fail_msg("%s", e.text);
    memcpy(h.pubkey, o->pubkey, 32);
    h.expiration = alive ? NOW + 300 : NOW - 1;
    app_on_offer(a, o, ev, "wss://relay.example");
    app_on_offer_again(a, o->id, "wss://other.example");
    app_on_beat(a, &h);
    event_free(ev);
    if (offer_simulated(o)) {
        offer_free(world.offer);
        world.offer = o;
    } else
        offer_free(o);
}

/* Before offers are put: a job that was had with this seller. */
static void had_job(struct app *a, const struct offer *o, enum proof_state s, int64_t ago) {
    struct proven_job j = {.proof = {s, NOW - ago}, .seconds = 720, .boot_ms = 95000};
    struct err e;

    memcpy(j.provider, o->pubkey, 32);
    snprintf(j.name, sizeof j.name, "%s", o->provider_name);
    memset(j.digest, ago > 5 * 86400 ? 'b' : 'a', 96);
    if (proven_put(a->proven, &j, &e) != 0)
        fail_msg("%s", e.text);
}

static inline void set_relays(size_t n) {
    for (size_t i = 0; i < n; i++) {
        cleanup_free char *url = mem_fmt("wss://relay%zu.example", i + 1);

        settings_list_add(&world.set.relay, url);
    }
}

static inline struct app *app_for(size_t relays) {
    struct app_conf conf = {.port = &PORT,
                            .policy = "demo",
                            .simulated = true,
                            .folder = ".",
                            .bundles = "/home/anna/.local/share/cdvm/receipts",
                            .relays = relays,
                            .set = &world.set,
                            .config = "/home/anna/.config/cdvm/cdvm.conf",
                            .state = "/home/anna/.local/state/cdvm",
                            .history_days = PROVEN_DAYS,
                            .ascii = world.ascii};
    struct app *a;

    set_relays(relays);
    a = app_new(&conf);
    world.app = a;
    buf_reset(&world.log);
    app_clock(a, 1000000, NOW);
    return a;
}

static inline struct app *app_with_offers(void) {
    struct app *a = app_for(5);
    struct offer *o =
        offer_of(0, "llama-3.3-70b q8", "alpenrechen", "sev-snp+gpu-cc", "hopper", 210000);

    had_job(a, o, PROOF_PASS, 3 * 86400);
    had_job(a, o, PROOF_PASS, 9 * 86400);
    put_offer(a, o, true, 12);
    o = offer_of(1, "llama-3.3-70b q4", "cheapgpu", "sev-snp+gpu-cc", "hopper", 80000);
    had_job(a, o, PROOF_WARN, 86400);
    put_offer(a, o, true, 300);
    o = offer_of(2, "deepseek-r1-70b", "fastlane", "sev-snp+gpu-cc", "hopper", 95000);
    had_job(a, o, PROOF_FAIL, 7200);
    put_offer(a, o, true, 360);
    put_offer(a,
              offer_of(3, "\xe6\xbc\xa2\xe5\xad\x97-\xe6\xa8\xa1\xe5\x9e\x8b-32b",
                       "\xe6\x9d\xb1\xe4\xba\xac gpu", "sev-snp+gpu-cc", "hopper", 150000),
              true, 40);
    put_offer(a, offer_of(4, "csv tools", "tabula", "sev-snp", "", 90000), true, 180);
    put_offer(a, offer_of(5, "gratis\xe2\x80\xaemodel\033[2J", "bad\033]0;x\007guy", "none", "", 0),
              true, 60);
    put_offer(a, offer_of(6, "llama-3.1-8b", "hobbynode", "none", "", 1500), false, 9000);
    put_offer(a, offer_of(7, "csv demo", "local sim", "sim", "", 0), true, 1);
    app_on_relays(a, 4);
    app_on_settled(a);
    return a;
}

static const struct check ARK = {
    .id = "snp.chain.ark",
    .title = "ARK is a root that may sign",
    .state = CHECK_PASS,
    .source = SOURCE_HARDWARE,
    .required = true,
    .expected = "",
    .got = "sha256 4c1b..9e70",
    .why = "The root is a simulator's, named in this machine's own sim-roots file."};
static const struct check SIG = {.id = "snp.signature",
                                 .title = "report signature",
                                 .state = CHECK_PASS,
                                 .source = SOURCE_HARDWARE,
                                 .required = true,
                                 .expected = "",
                                 .got = "ECDSA P-384, 1184 bytes",
                                 .why = "The chip's key signed these 1184 bytes."};
static const struct check TCB = {
    .id = "snp.tcb.floor",
    .title = "firmware at or above the floor",
    .state = CHECK_WARN,
    .source = SOURCE_HARDWARE,
    .required = true,
    .expected = "microcode 0x58",
    .got = "microcode 0x57",
    .why = "The host runs an older microcode than the advisory of 3 November asks for; "
           "somebody who controls the host could use what it fixes. Ask for an update, or accept "
           "for this job only."};
static const struct check CRL = {.id = "snp.crl",
                                 .title = "certificates not revoked",
                                 .state = CHECK_NOT_CHECKED,
                                 .source = SOURCE_COMPUTED,
                                 .required = false,
                                 .expected = "",
                                 .got = "",
                                 .why = "Nobody brought a revocation list."};
static const struct check BIND = {
    .id = "binding",
    .title = "REPORT_DATA binds key, nonce, job",
    .state = CHECK_PASS,
    .source = SOURCE_COMPUTED,
    .required = true,
    .expected = "",
    .got = "c4d9 51fe",
    .why = "The report carries the hash of the guest's key, your nonce and this job."};
static const struct check *const CHAIN_KIDS[] = {&ARK, &SIG, &CRL}, *const LEVEL_KIDS[] = {&TCB};
static const struct check CHAIN = {.id = "snp.chain",
                                   .title = "CPU report and its chain",
                                   .state = CHECK_PASS,
                                   .source = SOURCE_HARDWARE,
                                   .required = true,
                                   .expected = "",
                                   .got = "",
                                   .why = "A chain of three certificates.",
                                   .child = CHAIN_KIDS,
                                   .n_children = 3};
static const struct check LEVEL = {.id = "snp.level",
                                   .title = "firmware level",
                                   .state = CHECK_WARN,
                                   .source = SOURCE_HARDWARE,
                                   .required = true,
                                   .expected = "",
                                   .got = "",
                                   .why = "One component is old.",
                                   .child = LEVEL_KIDS,
                                   .n_children = 1};
static const struct check *const TOP_KIDS[] = {&CHAIN, &LEVEL, &BIND};
static const struct check TOP = {.id = "verdict",
                                 .title = "the guest is the one you asked for",
                                 .state = CHECK_WARN,
                                 .source = SOURCE_COMPUTED,
                                 .required = true,
                                 .expected = "",
                                 .got = "",
                                 .why = "Everything required holds but one warning.",
                                 .child = TOP_KIDS,
                                 .n_children = 3};

/* To the job on the screens. */
static inline void happens(struct app *a, const struct session_event *ev) {
    app_on_session(a, a->job->number, ev);
}

static inline void state(struct app *a, enum session_state s) {
    struct session_event ev = {.type = SE_STATE, .state = s, .from = a->job->state};

    happens(a, &ev);
}

static inline void phase(struct app *a, enum job_phase p, const char *text) {
    struct session_event ev = {.type = SE_PHASE, .phase = p, .text = view_str(text)};

    happens(a, &ev);
}

static inline void later(struct app *a, int64_t ms) {
    app_clock(a, a->now + ms, a->unix_now + ms / 1000);
}

static inline struct app *app_booting(void) {
    struct app *a = app_with_offers();
    const struct shelf_row *row;
    struct err e;

    row = shelf_find(a->shelf, "offer-7", NOW, &e); /* the simulated one */
    if (!row || app_open_offer(a, row, &e) != 0)
        fail_msg("%s", e.text);
    port_start(NULL, a->offer, NULL);
    later(a, 400);
    state(a, SESSION_STARTING);
    phase(a, PHASE_QUEUED, "");
    later(a, 300);
    phase(a, PHASE_CREATING, "");
    later(a, 100);
    phase(a, PHASE_BOOTING, "sim backend, \033[31mTCG\033[0m");
    later(a, 14250);
    return a;
}

static inline struct app *app_deciding(void) {
    struct app *a = app_booting();
    struct app_verdict v = {.top = &TOP,
                            .state = CHECK_WARN,
                            .simulated = true,
                            .has_guest = true,
                            .guest = {0xc4, 0xd9, 0x51, 0xfe, 0x07, 0xaa, 0x3b, 0x12},
                            .policy = "demo",
                            .product = "Genoa",
                            .open = {&TCB},
                            .n_open = 1};

    v.as_of = a->unix_now;
    phase(a, PHASE_ATTESTING, "");
    later(a, 700);
    state(a, SESSION_VERIFYING);
    later(a, 40);
    app_on_verdict(a, a->job->number, &v);
    state(a, SESSION_DECISION);
    return a;
}

static inline struct app *app_ready(void) {
    struct app *a = app_deciding();
    struct session_event ev = {.type = SE_READY, .text = view_str("table 1")};

    state(a, SESSION_ACCEPTED);
    later(a, 1200);
    state(a, SESSION_READY);
    happens(a, &ev);
    return a;
}

static inline void type(struct app *a, const char *s) {
    for (; *s; s++)
        app_key(a, (uint32_t)(uint8_t)*s);
}

/* What was typed; then a key, if it is one. */
static inline void press(struct app *a, const char *s, uint32_t key) {
    type(a, s);
    if (key)
        app_key(a, key);
}

static inline void typed(struct app *a, const char *s) {
    press(a, s, K_ENTER);
}

/* A key, and the frame that follows. */
static inline void hit(struct app *a, uint32_t key) {
    app_key(a, key);
    app_prepare(a);
}

/* The world was asked this since the last time, and no more. */
static inline void expect_asked(const char *log) {
    buf_str(&world.log, "");
    assert_string_equal((char *)world.log.p, log);
    buf_reset(&world.log);
}

static inline void expect_status(const struct app *a, const char *part) {
    if (!strstr(a->status, part))
        fail_msg("the status is '%s', not '%s'", a->status, part);
}

static inline struct app *app_chatting(void) {
    struct app *a = app_ready();
    uint8_t ID[32];
    struct xfer_meta up = {.name = "ledger.csv", .size = 2100000, .xid = {1}},
                     down = {.name = "result.csv", .size = 5, .xid = {2}, .sha256 = {0x91, 0xbe}};
    cJSON *table = cJSON_Parse("{\"columns\":[\"customer\",\"total\"],\"rows\":[[\"Anna\",1204.5],"
                               "[\"B\\u00e9la\",-3]],\"total\":40}");

    memset(ID, 0x51, 32);
    type(a, "Which customers paid late?");
    app_key(a, K_ENTER);
    later(a, 2000);
    happens(a, &(struct session_event){.type = SE_TABLE, .id = ID, .json = table});
    happens(a, &(struct session_event){.type = SE_FILE, .meta = &down, .data = view_str("a,b\n1")});
    happens(a, &(struct session_event){
                   .type = SE_DELTA,
                   .id = ID,
                   .text = view_str("Two of them paid late: Anna by 12 days, B\xc3\xa9la by "
                                    "three. The others were on time.")});
    happens(a, &(struct session_event){.type = SE_FILE_UP, .meta = &up, .done = 1344000});
    later(a, 4000);
    happens(a, &(struct session_event){.type = SE_FILE_UP, .meta = &up, .done = 1364000});
    happens(a, &(struct session_event){.type = SE_PROGRESS,
                                       .id = ID,
                                       .done = 300,
                                       .total = 1000,
                                       .text = view_str("rows"),
                                       .note = "sorting"});
    type(a, "and who ");
    app_key(a, K_ALT(K_ENTER));
    type(a, "signed it?");
    cJSON_Delete(table);
    return a;
}

/* --- a chat with documents and a small model --- */

#define LEASE "examples/lease.md"

/* Ready, with a model that the guest has named and a document that it has. */
static inline struct app *app_with_model(void) {
    static const char CAPS[] = "[\"model:SmolLM2-135M-Instruct\",\"parameters:134515008\","
                               "\"quantization:Q4_1\",\"emulated\"]";
    struct app *a = app_deciding();
    struct session_event ev = {.type = SE_READY, .text = view_str("chat")};
    struct xfer_meta m = {.name = "lease.md", .xid = {9}};
    cleanup_buf struct buf lease = {0};
    cJSON *caps = cJSON_Parse(CAPS);
    struct err e;

    ev.json = caps;
    a->job->model = (struct model){.chats = true, .name = "SmolLM2-135M", .bytes = 91700000};
    state(a, SESSION_ACCEPTED);
    state(a, SESSION_READY);
    happens(a, &ev);
    cJSON_Delete(caps);
    assert_int_equal(file_read(LEASE, 100000, &lease, &e), 0);
    m.size = lease.n;
    sha256(buf_view(&lease), m.sha256);
    app_file_path(a, a->job, &m, LEASE);
    happens(a, &(struct session_event){.type = SE_FILE_UP, .meta = &m, .done = m.size});
    happens(a, &(struct session_event){.type = SE_SENT, .id = m.xid});
    return a;
}

static inline void guest_progress(struct app *a, uint64_t done, uint64_t total) {
    static uint8_t ID[32];

    memset(ID, 0x51, 32);
    happens(a, &(struct session_event){.type = SE_PROGRESS,
                                       .id = ID,
                                       .done = done,
                                       .total = total,
                                       .text = view_str("tokens"),
                                       .note = "reading your documents, emulated CPU"});
}

/* Asked; the guest reads its prompt. */
static inline struct app *app_reading(void) {
    struct app *a = app_with_model();

    type(a, "How long is the notice period?");
    app_key(a, K_ENTER);
    guest_progress(a, 10, 120);
    later(a, 12000);
    guest_progress(a, 58, 120);
    return a;
}

static inline void guest_sources(struct app *a) {
    static uint8_t ID[32];
    cJSON *list = cJSON_Parse(
        "[{\"doc\":\"lease.md\",\"offset\":322,\"score\":812,\"snippet\":\"Either side may end "
        "this "
        "lease with a notice of three months, in writing, to the end of a month. The landlord "
        "may "
        "not "
        "raise the rent before 1 March "
        "2026.\"},{\"doc\":\"scan.pdf\",\"offset\":40,\"score\":204,"
        "\"snippet\":\"Notice of \\u001b[31mtermination\\u202e must be signed.\"}]");

    memset(ID, 0x51, 32);
    assert_non_null(list);
    happens(a, &(struct session_event){.type = SE_SOURCES, .id = ID, .json = list});
    cJSON_Delete(list);
}

/* Answered, with two passages. */
static inline struct app *app_answered_with_sources(void) {
    struct app *a = app_reading();
    uint8_t ID[32];

    memset(ID, 0x51, 32);
    guest_sources(a);
    happens(a, &(struct session_event){.type = SE_DELTA, .id = ID, .text = view_str("Three")});
    happens(a, &(struct session_event){
                   .type = SE_ANSWER,
                   .id = ID,
                   .text = view_str("Three months, in writing, to the end of a month [1].")});
    return a;
}

static inline struct app *app_with_three(void) {
    struct app *a = app_chatting();
    struct err why = {"boot-timeout", "the guest did not say hello within 120 s"};
    uint8_t ID[32];

    memset(ID, 0x51, 32);
    app_prepare(a);
    port_start(NULL, a->offer, NULL);
    later(a, 90000);
    port_start(NULL, a->offer, NULL);
    later(a, 600);
    state(a, SESSION_STARTING);
    phase(a, PHASE_QUEUED, "");
    later(a, 30000);
    app_on_session(a, 2,
                   &(struct session_event){.type = SE_STATE, .state = SESSION_FAILED, .why = &why});
    app_on_session(a, 1,
                   &(struct session_event){.type = SE_ANSWER, .id = ID, .text = view_str("Anna.")});
    phase(a, PHASE_CREATING, "");
    later(a, 2300);
    return a;
}

static inline void app_done(struct app *a) {
    app_free(a);
    settings_free(&world.set);
    world.set = (struct settings){0};
    offer_free(world.offer);
    world.offer = NULL;
    buf_free(&world.told);
}

#endif
