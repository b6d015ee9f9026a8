/* Guest channel: length-prefixed frames over the one virtio-serial port (cdvm-protocol(7),
 * "Channel").
 *
 * Frame: u32 LE length of (type + payload), 1 to CHAN_MAX; u8 type; payload. Both ends are hostile
 * to each other: an unknown type, a bad length or a payload that does not parse is code
 * "bad-frame". */
#ifndef CDVM_CHANNEL_H
#define CDVM_CHANNEL_H

#include "bytes.h"

#define CHAN_MAX ((uint32_t)1 << 20)
#define CHAN_FEED ((size_t)65536)
#define CHAN_CHALLENGE_MAX 128
#define CHAN_BLOB_CHUNK ((size_t)262144) /* ciphertext bytes a BLOB frame carries at most */

enum chan_type {
    CHAN_JOB = 1,         /* host -> guest, once: JSON {rumor, relays, time} */
    CHAN_EVENT = 2,       /* both: one Nostr event */
    CHAN_AUTH = 3,        /* host: u8 relay, challenge; guest: u8 relay, signed 22242 */
    CHAN_BLOB_PUT = 4,    /* guest -> host */
    CHAN_BLOB_DATA = 5,   /* host -> guest */
    CHAN_BLOB_GET = 6,    /* guest -> host: sha256, u64 LE max */
    CHAN_BLOB_STATUS = 7, /* host -> guest: sha256, u8 enum chan_blob_status */
    CHAN_STATE = 8,       /* guest -> host: u8 enum chan_state */
    CHAN_REPORT_REQ = 9,  /* guest -> host: 64 bytes */
    CHAN_REPORT = 10,     /* host -> guest: 1184 bytes, or empty when the host has none */
    CHAN_SHUTDOWN = 11,   /* host -> guest: empty */
};
enum chan_blob_status { CHAN_BLOB_OK, CHAN_BLOB_ABSENT, CHAN_BLOB_TOO_LARGE, CHAN_BLOB_FAILED };

/* The numbered table of STATE; never text. 64 and above are errors: the guest closes the job. */
enum chan_state {
    CHAN_BOOTED = 1,
    CHAN_KEYED = 2,
    CHAN_ATTESTED = 3, /* hello sent */
    CHAN_ACCEPTED = 4,
    CHAN_READY = 5,
    CHAN_WIPING = 6,
    CHAN_ERR_HARDWARE = 64, /* a device or interface outside the allow-list */
    CHAN_ERR_ENTROPY = 65,
    CHAN_ERR_CMDLINE = 66,
    CHAN_ERR_FRAME = 67, /* the host broke the channel's rules */
    CHAN_ERR_JOB = 68,   /* the JOB frame is not a valid request */
    CHAN_ERR_REPORT = 69,
    CHAN_ERR_VOLUME = 70,
    CHAN_ERR_WORKLOAD = 71,
    CHAN_ERR_TIMEOUT = 72,   /* accept or idle limit passed */
    CHAN_ERR_PROTOCOL = 73,  /* seq-conflict and the like from the customer */
    CHAN_ERR_KEY = 74,       /* no key of a sealed model, or one that does not open it */
    CHAN_ERR_GPU = 75,       /* driver or library did not bring the GPUs up, or lost them */
    CHAN_ERR_GPU_COUNT = 76, /* PCI and NVML do not agree on how many there are */
    CHAN_ERR_GPU_EVIDENCE = 77,
};
const char *chan_state_name(uint8_t code); /* "booted", "error: hardware", or "unknown state" */

/* Incremental decoder. Feed at most CHAN_FEED bytes, then call chan_next until it returns 0. */
struct chan_in {
    struct buf b;
    size_t taken; /* bytes of b consumed by frames handed out */
};
struct chan_frame {
    enum chan_type type;
    struct view payload; /* borrowed until the next chan_feed or chan_next */
};
void chan_in_init(struct chan_in *in);
void chan_in_free(struct chan_in *in); /* wipes */
void chan_feed(struct chan_in *in, struct view bytes);
/* 1 = a frame, 0 = more bytes needed, -1 = broken for good. */
int chan_next(struct chan_in *in, struct chan_frame *out, struct err *e) WARN_UNUSED;
/* Appends one frame; payload at most CHAN_MAX - 1 bytes (larger is a caller's error: -1). */
int chan_put(struct buf *out, enum chan_type type, struct view payload, struct err *e) WARN_UNUSED;

/* Payloads with structure. Parsers refuse anything but the exact form. */
struct chan_auth {
    uint8_t relay;
    struct view body; /* challenge (1-128 printable ASCII) or the signed event */
};
int chan_put_auth(struct buf *out, uint8_t relay, struct view body, struct err *e) WARN_UNUSED;
int chan_auth_parse(struct view payload, struct chan_auth *out, struct err *e) WARN_UNUSED;
bool chan_challenge_ok(struct view v); /* the guest checks the host's before it signs anything */

struct chan_blob {
    uint8_t sha256[32];
    uint64_t total, offset;
    struct view data; /* at least one byte; offset + n <= total */
};
int chan_put_blob(struct buf *out, enum chan_type type, const struct chan_blob *b,
                  struct err *e) WARN_UNUSED;
int chan_blob_parse(struct view payload, struct chan_blob *out, struct err *e) WARN_UNUSED;

struct chan_blob_get {
    uint8_t sha256[32];
    uint64_t max;
};
int chan_put_blob_get(struct buf *out, const struct chan_blob_get *g, struct err *e) WARN_UNUSED;
int chan_blob_get_parse(struct view payload, struct chan_blob_get *out, struct err *e) WARN_UNUSED;
int chan_put_blob_status(struct buf *out, const uint8_t sha[static 32], enum chan_blob_status s,
                         struct err *e) WARN_UNUSED;
int chan_blob_status_parse(struct view payload, uint8_t sha[static 32], enum chan_blob_status *s,
                           struct err *e) WARN_UNUSED;

#endif
