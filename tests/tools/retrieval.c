/* How well documents are found: recall at 1, 3 and 5 over a list of questions whose answers are
 * known, by words alone and with an embedding model, by the code that the chat workload runs.
 *
 * usage: retrieval QUESTIONS FOLDER [MODEL SERVER [ARGUMENT]...]
 *   QUESTIONS  JSON: [{id, question, file, answer_substring, kind}]
 *   FOLDER     the documents: every *.html but index.html
 *   MODEL      GGUF of an embedding model, run by SERVER (llama-server and what comes before it)
 * Prints "RANKER KIND QUESTIONS RECALL@1 RECALL@3 RECALL@5" (per mille), and "#" lines. */
#include <dirent.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>
#include "core/json.h"
#include "guest/workloads/lib/docs.h"
#include "guest/workloads/lib/llama.h"
#include "guest/workloads/lib/watch.h"

#define DEPTH 5
#define CONTEXT 512

static const char *const kinds[] = {"all", "lexical", "paraphrase"};
static const size_t depths[] = {1, 3, 5};

/* --- questions --- */

/* White space of every kind folded, as both sides are compared. */
static char *folded(struct view v) {
    struct buf out = {0};
    bool gap = false;

    for (size_t i = 0; i < v.n; i++) {
        bool wide = i + 1 < v.n && v.p[i] == 0xc2 && v.p[i + 1] == 0xa0;

        if (wide || strchr(" \t\r\n\v\f", v.p[i])) {
            i += wide;
            gap = out.n > 0;
            continue;
        }
        buf_str(&out, gap ? " " : "");
        gap = false;
        buf_u8(&out, v.p[i]);
    }
    buf_str(&out, "");
    return buf_take(&out);
}

static bool right(const cJSON *q, const struct docs_hit *hit) {
    cleanup_free char *text = folded(hit->text);
    cleanup_free char *answer = folded(view_str(json_opt(q, "answer_substring")));

    return !strcmp(hit->name, json_opt(q, "file")) && strstr(text, answer);
}

/* The first passage that is right, from 0; DEPTH = none of the first. */
static int rank(struct docs *d, const cJSON *q, size_t *out, struct err *e) {
    struct docs_hit hit[DEPTH];
    size_t n;

    if (docs_search(d, view_str(json_opt(q, "question")), hit, DEPTH, &n, NULL, e) || e->code[0])
        return -1;
    for (*out = 0; *out < n && !right(q, &hit[*out]); ++*out)
        ;
    *out = *out < n ? *out : DEPTH;
    return 0;
}

struct tally {
    size_t questions, within[COUNT(depths)];
};

static void count(struct tally t[COUNT(kinds)], const char *kind, size_t rank) {
    for (size_t k = 0; k < COUNT(kinds); k++) {
        if (k && strcmp(kinds[k], kind))
            continue;
        t[k].questions++;
        for (size_t i = 0; i < COUNT(depths); i++)
            t[k].within[i] += rank < depths[i];
    }
}

static int score(struct docs *d, const cJSON *questions, const char *ranker, struct err *e) {
    struct tally t[COUNT(kinds)] = {{0}};
    int64_t start = watch_now();
    const cJSON *q;

    cJSON_ArrayForEach(q, questions) {
        size_t r;

        if (rank(d, q, &r, e))
            return -1;
        printf("# %-7s %s %s\n", ranker, json_opt(q, "id"),
               r == DEPTH ? "-" : (const char *const[]){"1", "2", "3", "4", "5"}[r]);
        count(t, json_opt(q, "kind"), r);
    }
    printf("# %s: %.1f ms a question\n", ranker,
           (double)(watch_now() - start) / (double)(t[0].questions ? t[0].questions : 1));
    for (size_t k = 0; k < COUNT(kinds); k++)
        if (t[k].questions)
            printf("%s %s %zu %zu %zu %zu\n", ranker, kinds[k], t[k].questions,
                   t[k].within[0] * 1000 / t[k].questions, t[k].within[1] * 1000 / t[k].questions,
                   t[k].within[2] * 1000 / t[k].questions);
    return 0;
}

/* --- documents --- */

static int wanted(const struct dirent *d) {
    return !fnmatch("*.html", d->d_name, 0) && strcmp(d->d_name, "index.html");
}

static int load(struct docs *d, const char *folder, struct err *e) {
    int64_t start = watch_now();
    uint64_t passages = 0, words = 0;
    struct docs_info info;
    struct dirent **file;
    int n = scandir(folder, &file, wanted, alphasort), rc = 0;

    for (int i = 0; i < n; i++) {
        cleanup_free char *path = mem_fmt("%s/%s", folder, file[i]->d_name);

        rc = rc ? rc : docs_add(d, file[i]->d_name, path, NULL, &info, e);
        passages += rc ? 0 : info.passages;
        words += rc ? 0 : info.words;
        free(file[i]);
    }
    if (n <= 0)
        return err_set(e, "no-data", "%s has no pages", folder);
    free(file);
    printf("# %d documents, %llu words, %llu passages indexed in %lld ms\n", n,
           (unsigned long long)words, (unsigned long long)passages,
           (long long)(watch_now() - start));
    return rc;
}

/* --- the model --- */

static int embed(void *arg, const struct view *texts, size_t n, float *out, struct err *e) {
    return llama_embed(arg, texts, n, out, NULL, e);
}

static void tell(void *arg, uint64_t done, uint64_t total) {
    int64_t *last = arg;

    if (done < total && watch_now() - *last < 10000)
        return;
    *last = watch_now();
    fprintf(stderr, "# %llu of %llu windows have a vector\n", (unsigned long long)done,
            (unsigned long long)total);
}

static int with_model(struct llama *l, const char *folder, const cJSON *questions, struct err *e) {
    const struct docs_model model = {embed, l, llama_dims(l)};
    struct docs *d = docs_new(&model, e);
    int64_t start = watch_now(), last = start;
    const struct docs_watch w = {.progress = tell, .arg = &last};
    int rc = !d || load(d, folder, e) || docs_embed(d, &w, e) ? -1 : 0;

    if (!rc) {
        printf("# vectors made in %lld ms\n", (long long)(watch_now() - start));
        rc = score(d, questions, "fused", e);
    }
    docs_free(d);
    return rc;
}

static int start_model(const char *file, char **argv, const char *folder, const cJSON *questions,
                       struct err *e) {
    char scratch[] = "/tmp/cdvm-retrieval-XXXXXX";
    struct llama_spec spec = {.argv = (const char *const *)argv,
                              .model = file,
                              .folder = mkdtemp(scratch),
                              .name = "embed",
                              .embedding = true,
                              .emulated = true, /* no spinning: a test is not alone */
                              .threads = (unsigned)get_nprocs(),
                              .context = CONTEXT};
    struct llama *l = spec.folder ? llama_start(&spec, e) : NULL;
    int rc = !l || llama_wait(l, NULL, e) ? -1 : with_model(l, folder, questions, e);
    cleanup_free char *log = mem_fmt("%s/embed.log", scratch);

    llama_free(l);
    unlink(log);
    rmdir(scratch);
    return rc;
}

static int by_words(const char *folder, const cJSON *questions, struct err *e) {
    struct docs *d = docs_new(NULL, e);
    int rc = !d || load(d, folder, e) ? -1 : score(d, questions, "words", e);

    docs_free(d);
    return rc;
}

int main(int argc, char **argv) {
    cleanup_buf struct buf text = {0};
    struct err e = {0};
    cJSON *questions = NULL;
    int rc;

    if (argc < 3 || argc == 4) {
        fprintf(stderr, "usage: retrieval QUESTIONS FOLDER [MODEL SERVER [ARGUMENT]...]\n");
        return 64;
    }
    rc = file_read(argv[1], 1 << 20, &text, &e);
    if (!rc && !(questions = json_parse(buf_view(&text), 1 << 20, &e)))
        rc = -1;
    if (!rc)
        rc = by_words(argv[2], questions, &e);
    if (!rc && argc > 3)
        rc = start_model(argv[3], argv + 4, argv[2], questions, &e);
    if (rc)
        fprintf(stderr, "retrieval: %s (%s)\n", e.text, e.code);
    cJSON_Delete(questions);
    return rc ? 1 : 0;
}
