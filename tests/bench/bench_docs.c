/* Documents for a chat: passages indexed by words in a second, the reading of the file in another
 * process included, and the time of a question among them. (Vectors are the model's own time.) */
#include <fcntl.h>
#include <unistd.h>

#include "guest/workloads/lib/docs.h"
#include "tests/bench/bench.h"

#define ROUNDS 7
#define QUESTIONS 50
#define WORDS 100000
#define VOCABULARY 5000

#define MUST(cond)                                                                                 \
    do                                                                                             \
        if (!(cond))                                                                               \
            abort();                                                                               \
    while (0)

/* Words as often as in a language: the k-th one about 1/k of the time. */
static uint32_t next_word(uint64_t *seed) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(VOCABULARY / (1 + (*seed >> 33) % VOCABULARY));
}

static void write_text(const char *path) {
    cleanup_buf struct buf text = {0};
    cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    uint64_t seed = 1;

    for (size_t i = 1; i <= WORDS; i++) {
        if (i % 500 == 1)
            buf_fmt(&text, "\n\n# Section %zu\n\n", i / 500);
        buf_fmt(&text, "word%u%s", next_word(&seed), i % 12 ? " " : ". ");
    }
    MUST(fd >= 0 && !fd_write_all(fd, buf_view(&text), NULL));
}

static void line(const char *name, const char *unit, double median, double p95, size_t n) {
    printf("{\"name\":\"%s\",\"unit\":\"%s\",\"median\":%.2f,\"p95\":%.2f,\"n\":%zu,"
           "\"against\":null}\n",
           name, unit, median, p95, n);
}

static struct docs *index_once(const char *path, int64_t *took, uint64_t *passages) {
    struct docs *d = docs_new(NULL, NULL);
    int64_t start = bench_now();
    struct docs_info info;

    MUST(d && !docs_add(d, "text.md", path, NULL, &info, NULL));
    *took = bench_now() - start;
    *passages = info.passages;
    return d;
}

static void ask(struct docs *d, uint64_t *seed, int64_t *took) {
    cleanup_free char *q = mem_fmt("what of word%u and word%u or word%u", next_word(seed),
                                   next_word(seed), next_word(seed));
    struct docs_hit hit[5];
    int64_t start = bench_now();
    size_t n;

    MUST(!docs_search(d, view_str(q), hit, 5, &n, NULL, NULL) && n);
    *took = bench_now() - start;
}

int main(void) {
    char path[] = "/tmp/cdvm-bench-XXXXXX";
    int64_t index[ROUNDS], question[QUESTIONS];
    uint64_t passages = 0, seed = 2;
    struct docs *d = NULL;
    int fd = mkstemp(path);

    MUST(fd >= 0);
    close(fd);
    write_text(path);
    for (size_t i = 0; i < ROUNDS; i++) {
        docs_free(d);
        d = index_once(path, &index[i], &passages);
    }
    for (size_t i = 0; i < QUESTIONS; i++)
        ask(d, &seed, &question[i]);
    unlink(path);
    docs_free(d);
    qsort(index, ROUNDS, sizeof *index, bench_order);
    qsort(question, QUESTIONS, sizeof *question, bench_order);
    line("document passages indexed by words", "passages/s",
         (double)passages * bench_rate(index, ROUNDS, 0.5),
         (double)passages * bench_rate(index, ROUNDS, 0.95), ROUNDS);
    line("a question to 100,000 words", "ms", 1e3 / bench_rate(question, QUESTIONS, 0.5),
         1e3 / bench_rate(question, QUESTIONS, 0.95), QUESTIONS);
    return 0;
}
