/* What agent and NVML child say to each other over a socket pair. Pure: bytes in, structures out.
 *
 * Question: u32 LE length of (op + payload), u8 op, payload (EVIDENCE: the nonce; READY: u8 0 or
 * 1). Answer: u32 LE length of the rest, u8 op, u8 outcome, then
 *   DONE      facts; for EVIDENCE, of each GPU u32 architecture, u32 n, report, u32 n, chain in PEM
 *   REFUSED   u8 call, u32 the number that the call returned
 *   TIMED_OUT u8 call
 * All numbers are little-endian. The child runs a library of somebody else's: what it says is as
 * hostile as what the host says, and an answer of any other form ends the job. */
#ifndef CDVM_NVML_WIRE_H
#define CDVM_NVML_WIRE_H

#include "core/binding.h"
#include "nvml_abi.h"

#define NVML_ANSWER_MAX ((size_t)256 * 1024)
#define NVML_ASK_MAX ((size_t)64)

enum nvml_op { NVML_FACTS = 1, NVML_EVIDENCE, NVML_READY };
enum nvml_outcome { NVML_DONE, NVML_REFUSED, NVML_TIMED_OUT };

/* The calls, as an answer names them: opening the GPUs' device nodes, loading the library, then the
 * members of struct nvml_api. */
enum nvml_call {
    NVML_CALL_HOLD,
    NVML_CALL_LOAD,
    NVML_CALL_INIT,
    NVML_CALL_DRIVER,
    NVML_CALL_COUNT,
    NVML_CALL_HANDLE,
    NVML_CALL_PERSIST,
    NVML_CALL_ARCH,
    NVML_CALL_SETTINGS,
    NVML_CALL_CERTIFICATE,
    NVML_CALL_REPORT,
    NVML_CALL_SET_READY,
    NVML_CALL_GET_READY,
    NVML_CALLS,
};
const char *nvml_call_name(enum nvml_call c); /* "nvmlInit_v2" */

struct nvml_facts {
    uint8_t state[4]; /* ccFeature, devTools, environment, multiGpuMode (cdvm-protocol(7)) */
    uint32_t count;   /* of GPUs that NVML knows; at most GPUS_MAX */
    bool ready;       /* they take work */
};

/* Borrowed from the answer's bytes. */
struct nvml_gpu {
    uint32_t arch;
    struct view report, chain;
};
struct nvml_answer {
    struct nvml_facts facts;
    struct nvml_gpu gpu[GPUS_MAX]; /* facts.count of them, after EVIDENCE */
};

/* --- the agent's half --- */
void nvml_ask_put(struct buf *out, enum nvml_op op, struct view payload);
/* 1: a whole answer lies at the front of v, *n bytes with its length. 0: more is to come. -1: that
 * can be no answer. */
int nvml_answer_whole(struct view v, size_t *n, struct err *e) WARN_UNUSED;
/* One whole answer to a question of this op. "gpu-driver": the driver refused or did not return;
 * "bad-nvml": the child said something else. */
int nvml_answer_parse(struct view v, enum nvml_op op, struct nvml_answer *out,
                      struct err *e) WARN_UNUSED;

/* --- the child's half --- */
struct nvml_ask {
    enum nvml_op op;
    struct view payload;
};
/* Like nvml_answer_whole, and parsed; the agent is no enemy, but a wrong length is still refused.
 */
int nvml_ask_take(struct view v, struct nvml_ask *out, size_t *n);
void nvml_put_facts(struct buf *out, const struct nvml_settings *s, uint32_t count, bool ready);
void nvml_put_gpu(struct buf *out, uint32_t arch, struct view report, struct view chain);
void nvml_put_refused(struct buf *out, enum nvml_call c, int code);
/* The answer's head, for a body of n bytes. */
#define NVML_HEAD 6
void nvml_head(uint8_t out[static NVML_HEAD], enum nvml_op op, enum nvml_outcome o, size_t n);

#endif
