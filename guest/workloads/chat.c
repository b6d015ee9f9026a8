/* The workload "chat": a language model that answers, from the customer's documents where there are
 * any. It speaks "cdvm-workload/1" on its standard input and output (cdvm-protocol(7), "Workload
 * contract"); the models are run by llama-server children on UNIX sockets, and there is no other
 * way in or out.
 *
 * Without weights the answer is the passages that were found; without an embedding model they are
 * found by their words alone. Both are said.
 *
 * usage: chat [MODELS FOLDER ENGINE [ARG...]]
 *   MODELS  folder with llm.gguf, embed.gguf and card.json, each optional (/model)
 *   FOLDER  writable, for sockets and logs (/tmp)
 *   ENGINE  llama-server, and what comes before its own arguments (/bin/llama-server) */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include "core/text.h"
#include "guest/workloads/lib/chatconf.h"
#include "guest/workloads/lib/cpu.h"
#include "guest/workloads/lib/engines.h"
#include "guest/workloads/lib/inbox.h"
#include "guest/workloads/lib/prompt.h"
#include "guest/workloads/lib/say.h"

#define PROGRESS_MS 500
#define NAME_MAX_BYTES 64              /* of `ready` */
#define ANSWER_MAX ((size_t)1 << 20)   /* bytes, as the agent has it */
#define SLOW_PER_S 40                  /* prompt tokens a second under which it is lean */
#define ROOM_MIN 64                    /* tokens left for a prompt, whatever max_tokens says */
#define EMBED_MS (int64_t)(120 * 1000) /* for one document on an emulated processor */
#define SYSTEM "Answer briefly. If passages are given, use only them."
/* Where the processor is known to be slow nothing is to be measured. */
#define WARM_UP "Hello"
#define WARM_UP_MEASURED                                                                           \
    "Once upon a time there was a ship, and the ship had a captain, and the captain had a cat, "   \
    "and "                                                                                         \
    "the cat had a mouse, and so they went to sea for many a day."

/* How much is asked of the model. */
struct profile {
    uint32_t prompt_tokens, max_tokens, passages;
    size_t passage_bytes;
    bool snippets;      /* what is around the best match, instead of the whole passage */
    int least_per_cent; /* of the best passage's score: weaker ones would only distract */
};
static const struct profile full = {UINT32_MAX, 512, 4, 1600, false, 0};
static const struct profile lean = {160, 48, 2, 240, true, 50};

struct chat {
    struct lines *lines;
    struct inbox *inbox;
    struct unixhttp_watch watch; /* looks into the inbox */
    struct engines *engines;
    struct docs *docs;
    struct chatconf conf;
    const struct profile *profile;
    struct prompt_history history;
    bool emulated, ended;
    /* while something is worked on */
    const char *id;
    int64_t last_progress;
    struct buf answer;
};

/* --- progress --- */

static void tell(struct chat *c, uint64_t done, uint64_t total, const char *unit,
                 const char *note) {
    c->last_progress = unixhttp_now();
    (void)say_progress(c->lines, c->id, done, total, unit, note);
}

/* Not oftener than a person can read it. What is left follows from the numbers. */
static void tell_work(struct chat *c, const char *what, const char *unit, uint64_t done,
                      uint64_t total) {
    cleanup_free char *note = mem_fmt("%s%s", what, c->emulated ? " (emulated CPU)" : "");

    if (c->id && unixhttp_now() - c->last_progress >= PROGRESS_MS)
        tell(c, done, total, unit, note);
}

/* A step of work on documents. */
struct step {
    struct chat *c;
    const char *what, *unit;
    int64_t since;
};

static bool step_stop(void *arg) {
    const struct step *s = arg;

    return inbox_stop(s->c->inbox);
}

static void step_progress(void *arg, uint64_t done, uint64_t total) {
    const struct step *s = arg;

    tell_work(s->c, s->what, s->unit, done, total);
}

static struct docs_watch step_watch(struct step *s, int64_t ms) {
    return (struct docs_watch){step_stop, step_progress, s, ms ? s->since + ms : 0};
}

/* --- start --- */

/* Models whose template knows no system role would get the text as if the customer had said it. */
static const char *system_text(const struct chat *c, const struct llama *l) {
    if (!llama_system(l))
        return NULL;
    return c->conf.system ? c->conf.system : SYSTEM;
}

static int count(void *arg, struct view messages, uint32_t *tokens, struct err *e) {
    struct chat *c = arg;
    struct llama *l = engines_llm(c->engines, e);

    return l ? llama_count(l, messages, &c->watch, tokens, e) : -1;
}

/* One word asked and one token answered: how fast the model reads here, its pages in memory, and
 * the system text already in its cache. */
static int warm_up(struct chat *c, struct llama *l, uint64_t *per_s, struct err *e) {
    const struct prompt p = {.system = system_text(c, l),
                             .history = &c->history,
                             .question = c->emulated ? WARM_UP : WARM_UP_MEASURED};
    const struct llama_events none = {0};
    cleanup_buf struct buf messages = {0};
    struct prompt_fit fit;
    struct llama_usage u;

    if (prompt_make(&p, llama_context(l) - 1, count, c, &messages, &fit, e) ||
        llama_chat(l, &(struct llama_ask){buf_view(&messages), 1, {0}}, &none, &c->watch, &u, e))
        return -1;
    *per_s = u.prompt_us ? (uint64_t)u.prompt * 1000000 / u.prompt_us : UINT64_MAX;
    return 0;
}

static int choose_profile(struct chat *c, struct err *e) {
    uint64_t per_s = UINT64_MAX;
    struct llama *l = engines_has_llm(c->engines) ? engines_llm(c->engines, e) : NULL;

    if (engines_has_llm(c->engines) && (!l || warm_up(c, l, &per_s, e)))
        return -1;
    if (c->conf.profile == CHAT_AUTO)
        c->profile = c->emulated || per_s < SLOW_PER_S ? &lean : &full;
    else
        c->profile = c->conf.profile == CHAT_LEAN ? &lean : &full;
    return 0;
}

static void add_cap(struct jw *w, const char *key, const char *value) {
    cleanup_free char *cap = mem_fmt("%s:%s", key, value);

    jw_str(w, cap);
}

static void add_model_caps(const struct chat *c, struct jw *w) {
    const struct card *card = engines_card(c->engines);
    cleanup_free char *parameters = mem_fmt("%" PRIu64, card->parameters);

    if (!engines_has_llm(c->engines)) {
        jw_str(w, "no-model");
        return;
    }
    add_cap(w, "model", card->name);
    if (card->parameters)
        add_cap(w, "parameters", parameters);
    if (*card->quantization)
        add_cap(w, "quantization", card->quantization);
    add_cap(w, "profile", c->profile == &lean ? "lean" : "full");
}

static void say_ready(struct chat *c) {
    cleanup_free char *words = card_words(engines_card(c->engines), NAME_MAX_BYTES);
    struct say s;

    say_begin(&s, NULL);
    jw_kstr(&s.w, "name", engines_has_llm(c->engines) ? words : "no model: passages only");
    jw_key(&s.w, "caps");
    jw_arr(&s.w);
    jw_str(&s.w, "documents");
    add_cap(&s.w, "search", engines_embedder(c->engines) ? "words+meaning" : "words");
    add_model_caps(c, &s.w);
    if (c->emulated)
        jw_str(&s.w, "emulated");
    jw_end_arr(&s.w);
    (void)say_send(&s, c->lines, "ready");
}

static int start(struct chat *c, const cJSON *o, struct err *e) {
    if (c->docs)
        return err_set(e, "bad-request", "started twice");
    if (chatconf_parse(cJSON_GetObjectItemCaseSensitive(o, "params"), &c->conf, e) ||
        engines_load(c->engines, e) || choose_profile(c, e))
        return -1;
    c->docs = docs_new(engines_embedder(c->engines), e);
    if (!c->docs)
        return -1;
    if (c->emulated)
        docs_batch(c->docs, 1);
    return 0;
}

static void on_start(struct chat *c, const cJSON *o) {
    struct err e;

    if (start(c, o, &e))
        (void)say_error(c->lines, NULL, &e);
    else
        say_ready(c);
}

/* --- documents --- */

/* Passages without vectors are still found by their words: a failure here is told, not fatal. */
static void embed(struct chat *c, char **note) {
    struct step s = {c, "reading for meaning", "pieces", unixhttp_now()};
    const struct docs_watch w = step_watch(&s, c->emulated ? EMBED_MS : 0);
    struct err e;

    if (docs_embed(c->docs, &w, &e))
        *note = mem_fmt("; not all of it can be found by meaning: %.200s", e.text);
}

static int load(struct chat *c, const cJSON *o, struct docs_info *info, struct err *e) {
    struct step s = {c, "reading the document", "bytes", unixhttp_now()};
    const struct docs_watch w = step_watch(&s, 0);
    const char *name = json_str(o, "name", e), *path = name ? json_str(o, "path", e) : NULL;

    if (path && !c->docs)
        return err_set(e, "bad-request", "a file came before the start");
    return path ? docs_add(c->docs, name, path, &w, info, e) : -1;
}

static void on_file(struct chat *c, const cJSON *o) {
    cleanup_free char *trouble = NULL, *note = NULL;
    struct docs_info info;
    struct say s;
    struct err e;

    if (load(c, o, &info, &e)) {
        (void)say_error(c->lines, c->id, &e);
        return;
    }
    embed(c, &trouble);
    note = mem_fmt("%s: %" PRIu64 " words in %" PRIu64 " passages%s%s", info.format, info.words,
                   info.passages, info.cut ? "; only its beginning: it is too long" : "",
                   trouble ? trouble : "");
    tell(c, info.bytes, info.bytes, "bytes", note);
    say_begin(&s, c->id);
    (void)say_send(&s, c->lines, "done");
}

/* --- questions --- */

struct found {
    struct docs_hit hit[PROMPT_PASSAGES_MAX];
    struct prompt_passage passage[PROMPT_PASSAGES_MAX];
    size_t n;
};

static int search(struct chat *c, const char *question, struct found *f, struct err *e) {
    struct step s = {c, "searching", "pieces", unixhttp_now()};
    const struct docs_watch w = step_watch(&s, 0);
    size_t max = c->conf.passages ? c->conf.passages : c->profile->passages;
    struct err weak = {0};

    f->n = 0;
    if (!docs_count(c->docs))
        return 0;
    if (docs_search(c->docs, view_str(question), f->hit, max, &f->n, &w, &weak)) {
        *e = weak;
        return -1;
    }
    if (*weak.code)
        tell(c, 0, 1, "pieces", "searched by words alone: the embedding model does not answer");
    while (f->n && f->hit[f->n - 1].score * 100 < f->hit[0].score * c->profile->least_per_cent)
        f->n--;
    for (size_t i = 0; i < f->n; i++)
        f->passage[i] = (struct prompt_passage){
            f->hit[i].name, c->profile->snippets ? view_str(f->hit[i].snippet) : f->hit[i].text};
    return 0;
}

/* The first n: what a model is given, in the order of its numbers. */
static void say_sources(struct chat *c, const struct found *f, size_t n) {
    struct say s;

    if (!n)
        return;
    say_begin(&s, c->id);
    jw_key(&s.w, "sources");
    jw_arr(&s.w);
    for (size_t i = 0; i < n; i++) {
        jw_obj(&s.w);
        jw_kstr(&s.w, "doc", f->hit[i].name);
        jw_kint(&s.w, "offset", (int64_t)f->hit[i].offset);
        jw_kint(&s.w, "score", f->hit[i].score);
        jw_kstr(&s.w, "snippet", f->hit[i].snippet);
        jw_end_obj(&s.w);
    }
    jw_end_arr(&s.w);
    (void)say_send(&s, c->lines, "sources");
}

/* --- an answer of the model --- */

static void on_text(void *arg, struct view utf8) {
    struct chat *c = arg;

    buf_add(&c->answer, utf8.p, utf8.n);
    (void)say_text(c->lines, c->id, utf8);
}

static void on_thought(void *arg, uint32_t pieces) {
    struct chat *c = arg;

    if (unixhttp_now() - c->last_progress >= PROGRESS_MS)
        tell(c, pieces, pieces, "tokens", "thinking");
}

/* What was in the cache costs no time: it is not counted. */
static void on_prompt(void *arg, const struct llama_reading *r) {
    tell_work(arg, "reading the prompt", "tokens", r->done - r->cached, r->total - r->cached);
}

static void write_sampling(const struct chat *c, struct buf *out) {
    const struct card *card = engines_card(c->engines);
    struct jw w = jw_new(out);

    buf_add(out, c->conf.sampling.p, c->conf.sampling.n);
    if (!card->n_stops)
        return;
    buf_str(out, ",\"stop\":");
    jw_arr(&w);
    for (size_t i = 0; i < card->n_stops; i++)
        jw_str(&w, card->stop[i]);
    jw_end_arr(&w);
}

static uint64_t per_1000_s(uint32_t tokens, uint64_t us) {
    return us ? (uint64_t)tokens * 1000000000 / us : 0;
}

/* "48 tokens in 15.20 s, 3.15 a second; cut off at the limit of tokens (emulated CPU)" */
static char *usage_words(const struct chat *c, const struct llama_usage *u, const char *finish) {
    uint64_t speed = per_1000_s(u->tokens, u->us) / 10, hundredths = u->us / 10000;
    const char *why = "";

    if (!strcmp(finish, "length"))
        why = "; cut off at the limit of tokens";
    else if (!strcmp(finish, "cancelled"))
        why = "; stopped";
    return mem_fmt("%u tokens in %" PRIu64 ".%02u s, %" PRIu64 ".%02u a second%s%s", u->tokens,
                   hundredths / 100, (unsigned)(hundredths % 100), speed / 100,
                   (unsigned)(speed % 100), why, c->emulated ? " (emulated CPU)" : "");
}

static void say_usage(struct chat *c, const struct llama_usage *u, const char *finish) {
    cleanup_free char *note = usage_words(c, u, finish);
    struct say s;

    tell(c, u->tokens, u->tokens, "tokens", note);
    say_begin(&s, c->id);
    jw_key(&s.w, "usage");
    jw_obj(&s.w);
    jw_kint(&s.w, "prompt", u->prompt);
    jw_kint(&s.w, "cached", u->cached);
    jw_kint(&s.w, "completion", u->tokens);
    jw_kint(&s.w, "prompt_ms", (int64_t)(u->prompt_us / 1000));
    jw_kint(&s.w, "ms", (int64_t)(u->us / 1000));
    jw_kint(&s.w, "tokens_per_1000_s", (int64_t)per_1000_s(u->tokens, u->us));
    jw_kstr(&s.w, "finish", finish);
    jw_end_obj(&s.w);
    (void)say_send(&s, c->lines, "done");
}

static uint32_t answer_tokens(const struct chat *c, const struct llama *l) {
    uint32_t want = c->conf.max_tokens ? c->conf.max_tokens : c->profile->max_tokens;
    uint32_t half = llama_context(l) / 2;

    return want < half ? want : half;
}

/* The context holds both, and the engine keeps a token for itself. */
static uint32_t prompt_tokens(const struct chat *c, const struct llama *l, uint32_t answer) {
    uint32_t room = llama_context(l) - answer - 1;

    return room < c->profile->prompt_tokens ? room : c->profile->prompt_tokens;
}

static int generate(struct chat *c, const char *question, const struct found *f,
                    struct llama_usage *u, struct err *e) {
    const struct llama_events ev = {on_text, on_thought, on_prompt, c};
    cleanup_buf struct buf messages = {0}, sampling = {0};
    struct llama *l = engines_llm(c->engines, e);
    uint32_t most = l ? answer_tokens(c, l) : 0;
    struct prompt_fit fit;

    if (!l)
        return -1;
    if (prompt_make(&(struct prompt){system_text(c, l), &c->history, f->passage, f->n,
                                     c->profile->passage_bytes, question},
                    prompt_tokens(c, l, most), count, c, &messages, &fit, e))
        return -1;
    say_sources(c, f, fit.passages);
    write_sampling(c, &sampling);
    return llama_chat(l, &(struct llama_ask){buf_view(&messages), most, buf_view(&sampling)}, &ev,
                      &c->watch, u, e);
}

/* What was said before it was stopped or broke stays said. */
static void answer(struct chat *c, const char *question, const struct found *f) {
    struct llama_usage u = {0};
    struct err e = {0};
    int rc;

    buf_init(&c->answer, ANSWER_MAX);
    rc = generate(c, question, f, &u, &e);
    if (!rc)
        say_usage(c, &u, u.finish == LLAMA_LENGTH ? "length" : "stop");
    else if (!strcmp(e.code, "cancelled") && c->answer.n)
        say_usage(c, &u, "cancelled");
    else
        (void)say_error(c->lines, c->id, &e);
    if (c->answer.n)
        prompt_remember(&c->history, c->conf.turns, question, buf_view(&c->answer));
    buf_wipe(&c->answer);
}

/* --- an answer without a model --- */

static void quote(struct chat *c, const struct found *f) {
    cleanup_buf struct buf out = {0};
    struct say s;

    say_sources(c, f, f->n);
    buf_str(&out, "There is no language model in this guest. ");
    if (!docs_count(c->docs))
        buf_str(&out, "Attach documents, and the passages that a question finds will be shown.");
    else
        buf_str(&out, f->n ? "The passages that were found:\n" : "No passage was found.");
    for (size_t i = 0; i < f->n; i++) {
        cleanup_buf struct buf text = {0};

        (void)text_safe(f->hit[i].text, TEXT_PROSE, f->hit[i].text.n, &text);
        buf_fmt(&out, "\n[%zu] %s\n", i + 1, f->hit[i].name);
        buf_add(&out, text.p, text.n);
        buf_str(&out, "\n");
    }
    (void)say_text(c->lines, c->id, buf_view(&out));
    say_begin(&s, c->id);
    (void)say_send(&s, c->lines, "done");
}

static int ask(struct chat *c, const cJSON *o, struct err *e) {
    const char *question = json_str(o, "text", e);
    struct found f;

    if (!question)
        return -1;
    if (!c->docs)
        return err_set(e, "bad-request", "a question came before the start");
    if (!question[strspn(question, " \t\r\n")])
        return err_set(e, "bad-request", "the question is empty");
    if (search(c, question, &f, e))
        return -1;
    if (engines_has_llm(c->engines))
        answer(c, question, &f);
    else
        quote(c, &f);
    return 0;
}

static void on_ask(struct chat *c, const cJSON *o) {
    struct err e;

    if (ask(c, o, &e))
        (void)say_error(c->lines, c->id, &e);
}

/* --- messages --- */

static void on_end(struct chat *c, const cJSON *o) {
    (void)o;
    c->ended = true;
}

static const struct {
    const char *type;
    bool needs_id;
    void (*run)(struct chat *c, const cJSON *o);
} messages[] = {
    {"start", false, on_start},
    {"file", true, on_file},
    {"ask", true, on_ask},
    {"end", false, on_end},
};

static void dispatch(struct chat *c, const cJSON *o) {
    const char *type = json_opt(o, "t");

    c->id = json_opt(o, "id");
    c->last_progress = unixhttp_now();
    inbox_work(c->inbox, c->id);
    for (size_t i = 0; type && i < COUNT(messages); i++)
        if (!strcmp(type, messages[i].type) && (c->id || !messages[i].needs_id))
            messages[i].run(c, o);
    inbox_work(c->inbox, NULL);
}

static void serve(struct chat *c) {
    cJSON *o;

    while (!c->ended && (o = inbox_next(c->inbox))) {
        dispatch(c, o);
        json_wipe(o);
    }
}

int main(int argc, char **argv) {
    static const char *const engine[] = {"/bin/llama-server", NULL};
    struct chat c = {.profile = &full, .emulated = cpu_emulated()};

    c.lines = lines_new(STDIN_FILENO, STDOUT_FILENO);
    c.inbox = inbox_new(c.lines);
    c.watch = (struct unixhttp_watch){STDIN_FILENO, inbox_stop, c.inbox, 0};
    c.engines = engines_new(&(struct engines_spec){
        .models = argc > 1 ? argv[1] : "/model",
        .folder = argc > 2 ? argv[2] : "/tmp",
        .engine = argc > 3 ? (const char *const *)&argv[3] : engine,
        .watch = &c.watch,
        .emulated = c.emulated,
    });
    serve(&c);
    engines_free(c.engines);
    docs_free(c.docs);
    chatconf_free(&c.conf);
    prompt_forget(&c.history);
    inbox_free(c.inbox);
    lines_free(c.lines);
    return 0;
}
