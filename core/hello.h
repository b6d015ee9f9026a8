/* hello and ready, the guest's first two messages, and accept, the customer's answer
 * (cdvm-protocol(7), "Private messages"): the inside of their JSON objects.
 *
 * hello:  "report": base64, "echo": {"u","n","job"} in hex, "gpu": a list (gpu_list.h), or the
 *         "size" and "sha256" of a file of purpose "gpu" that follows; absent where there is none.
 *         Nothing in it says what is expected.
 * accept: "hello": rumor id, "now", "verdict": {...}, "max_minutes". The guest reads hello and
 *         max_minutes; the rest is the customer's record.
 * ready:  "name", "caps": [...]. */
#ifndef CDVM_HELLO_H
#define CDVM_HELLO_H

#include "dvm.h"
#include "gpu_list.h"

#define HELLO_REPORT_MAX ((size_t)4096)
#define HELLO_GPU_MAX ((size_t)20000) /* a longer list follows as a file */
#define ACCEPT_MINUTES_MAX (24 * 60)

struct hello {
    struct buf report; /* owned */
    bool has_echo;     /* false in one parsed without */
    uint8_t echo_customer[32], echo_nonce[32], echo_job[32];
    struct view gpu_json;              /* body only: the list as JSON; empty for none */
    struct gpu_evidence gpu[GPUS_MAX]; /* as it is bound; its bytes are owned below */
    size_t n_gpu;
    bool gpu_follows; /* the list is in a file of this size and hash: hello_gpu_file */
    uint64_t gpu_size;
    uint8_t gpu_sha256[32];
    struct err gpu_error; /* why what came of GPUs is not in gpu; code "" when all of it is */
    struct gpu_list gpu_owned;
};
void hello_body(const struct hello *h, struct buf *body);
/* "bad-message". hello_free(out) in any case. GPUs that cannot be read are no error of the message:
 * gpu_error says it. */
int hello_parse(const cJSON *o, struct hello *out, struct err *e) WARN_UNUSED;
/* The file that follows, when gpu_follows: fills gpu, or gpu_error. */
void hello_gpu_file(struct hello *h, struct view file);
void hello_free(struct hello *h); /* legal on {0} */

struct accept {
    uint8_t hello[32];   /* rumor id of the hello that passed */
    int64_t now;         /* customer's clock, Unix seconds */
    struct view verdict; /* JSON object; body only, empty = {} */
    uint32_t max_minutes;
};
void accept_body(const struct accept *a, struct buf *body);
int accept_parse(const cJSON *o, struct accept *out, struct err *e) WARN_UNUSED; /* not verdict */

#endif
