#include "entropy.h"

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>
#include <sys/random.h>
#include "core/hash.h"

#define CPU_BYTES 64
#define CPU_TRIES 1024 /* RDSEED runs dry under load; RDRAND practically never */

bool entropy_seeded(void) {
    uint8_t b;

    return getrandom(&b, 1, GRND_NONBLOCK) == 1;
}

static bool has_rdrand(void) {
    unsigned a, b, c, d;

    return __get_cpuid(1, &a, &b, &c, &d) && c & bit_RDRND;
}

static bool has_rdseed(void) {
    unsigned a, b, c, d;

    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_RDSEED;
}

int entropy_check(bool snp, struct err *e) {
    if (!has_rdrand())
        return err_set(e, "no-entropy", "the CPU has no RDRAND");
    if (snp && !has_rdseed())
        return err_set(e, "no-entropy", "SEV-SNP is active and the CPU has no RDSEED");
    return 0;
}

typedef unsigned long long word;

__attribute__((target("rdrnd"))) static int step_rdrand(word *out) {
    return _rdrand64_step(out);
}

__attribute__((target("rdseed"))) static int step_rdseed(word *out) {
    return _rdseed64_step(out);
}

/* All ones is what a CPU with a broken generator returned with the carry flag set. */
static bool draw(int (*step)(word *), word *out) {
    for (int i = 0; i < CPU_TRIES; i++) {
        if (step(out) && *out && *out != ~0ULL)
            return true;
        _mm_pause();
    }
    return false;
}

static int cpu_bytes(uint8_t out[static CPU_BYTES], struct err *e) {
    int (*step)(word *) = has_rdseed() ? step_rdseed : step_rdrand;
    word w[CPU_BYTES / sizeof(word)];

    for (size_t i = 0; i < COUNT(w); i++)
        if (!draw(step, &w[i]) || (i && w[i] == w[i - 1]))
            return err_set(e, "no-entropy", "the CPU's random generator does not answer");
    memcpy(out, w, CPU_BYTES);
    explicit_bzero(w, sizeof w);
    return 0;
}

/* Extract-then-expand over all sources; the counter covers the 2^-128 case of a draw that is no
 * scalar. */
static struct keypair *derive(struct view seed, struct view nonce, struct err *e) {
    uint8_t prk[32], sk[32];
    struct keypair *k = NULL;

    hkdf_extract(nonce, seed, prk);
    for (uint8_t i = 0; i < 4 && !k; i++) {
        uint8_t info[] = {'c', 'd', 'v', 'm', '/', '1', '/', 'k', 'e', 'y', i};

        hkdf_expand(prk, view_of(info, sizeof info), sk, sizeof sk);
        k = keypair_from(sk, e);
    }
    explicit_bzero(prk, sizeof prk);
    explicit_bzero(sk, sizeof sk);
    return k;
}

struct keypair *entropy_keypair(const uint8_t nonce[static 32], struct err *e) {
    uint8_t seed[2 * CPU_BYTES];
    struct keypair *k;

    if (getrandom(seed, CPU_BYTES, GRND_NONBLOCK) != CPU_BYTES) {
        err_set(e, "no-entropy", "the kernel's random generator is not seeded");
        return NULL;
    }
    if (cpu_bytes(seed + CPU_BYTES, e))
        return NULL;
    k = derive(view_of(seed, sizeof seed), view_of(nonce, 32), e);
    explicit_bzero(seed, sizeof seed);
    return k;
}
