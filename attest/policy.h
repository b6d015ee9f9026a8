/* The user's rules: a profile, exceptions to it, and floors. Plain data, made by policy_preset or
 * read from a file ("key = value", # comments). */
#ifndef CDVM_POLICY_H
#define CDVM_POLICY_H

#include "gpu_floor.h"

enum policy_profile { POLICY_STANDARD, POLICY_STRICT, POLICY_DEMO };
#define POLICY_PROFILES 3

/* What a check means to a policy. "Bad" is any outcome of the check that is not right. */
enum requirement {
    REQ_NOTE,     /* bad is shown as PASS with its words; NOT CHECKED is neutral */
    REQ_ADVISE,   /* bad is WARN, NOT CHECKED is neutral */
    REQ_OPTIONAL, /* bad is FAIL, NOT CHECKED is neutral */
    REQ_REQUIRED, /* bad is FAIL, NOT CHECKED counts */
    REQ_MUST,     /* bad is FAIL, and so is absent */
};

#define POLICY_CHECKS_MAX 96 /* at least the rows of checks.h */
#define POLICY_FLOORS_MAX 16

/* A floor for one CPU model range; components as in struct snp_tcb (snp_report.h). */
struct tcb_floor {
    uint8_t family, model_lo, model_hi, step_lo, step_hi;
    uint8_t fmc, bl, tee, snp, ucode;
    const char *date, *source; /* "2025-02-03", "AMD-SB-3019"; static or "" */
};

struct policy {
    enum policy_profile profile;
    char name[32];           /* what verdict_policy says */
    bool allow_v2;           /* report version 2: names no CPU model */
    bool allow_vlek;         /* a cloud's key instead of the chip's */
    bool allow_milan;        /* typed override; stays WARN */
    bool allow_masked_chip;  /* CHIP_ID all zero under a VCEK */
    bool allow_no_fwid;      /* GPU reports that do not name their firmware (drivers before 550) */
    uint32_t vmpl;           /* expected, 0..3 */
    uint64_t mitigation_min; /* bits that LAUNCH_ and CURRENT_MIT_VECTOR must have */
    uint32_t crl_max_age;    /* days since thisUpdate; 0: until nextUpdate */
    bool has_id_key;         /* the ID block must be signed by this key (SHA-384 of the key) */
    uint8_t id_key[48];
    struct tcb_floor floor[POLICY_FLOORS_MAX]; /* raise those of advisory.h, never lower them */
    size_t n_floors;
    struct gpu_floor gpu_floor[GPU_FLOORS_MAX];
    size_t n_gpu_floors;
    int8_t override[POLICY_CHECKS_MAX]; /* by row of checks.h: enum requirement + 1, 0 none */
};

/* "19:10-1f/0-f fmc=0 bl=10 tee=0 snp=27 ucode=84": family, models and steppings in hexadecimal,
 * levels in decimal; steppings and levels may be left out. "bad-policy". */
int floor_parse(const char *text, struct tcb_floor *out, struct err *e) WARN_UNUSED;
#define FLOOR_TEXT 80
void floor_text(const struct tcb_floor *f, char out[static FLOOR_TEXT]);

void policy_preset(struct policy *p, enum policy_profile profile);
/* "standard", "strict", "demo". False for any other word. */
bool policy_profile_named(const char *s, enum policy_profile *out);
const char *policy_profile_name(enum policy_profile p);
/* A policy file, in the form of core/conf.h. The profile demo is refused in one ("demo-in-file"):
 * it is given on the command line of this run or not at all. On error *p is set to strict. */
int policy_parse(struct policy *p, struct view text, struct err *e) WARN_UNUSED;

#endif
