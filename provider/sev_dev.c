#include "sev_dev.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/reader.h"

/* Debian 12's linux/psp-sev.h ends before SNP. */
#define SNP_PLATFORM_STATUS 9
struct sev_ask {
    uint32_t command;
    uint64_t data;
    uint32_t error; /* of the firmware */
} __attribute__((packed));
#define SEV_ASK _IOWR('S', 0, struct sev_ask)

bool sev_status_parse(struct view v, struct sev_status *out) {
    struct reader r = reader_new(v);
    uint8_t flags;
    uint32_t masks;

    *out = (struct sev_status){0};
    out->api_major = reader_u8(&r);
    out->api_minor = reader_u8(&r);
    out->ready = reader_u8(&r) == 1;
    flags = reader_u8(&r);
    out->rmp_ready = flags & 1;
    out->alias_clean = flags & 2;
    out->build = reader_u32le(&r);
    masks = reader_u32le(&r);
    out->mask_chip_id = masks & 1;
    out->mask_chip_key = masks & 2;
    out->hiding_able = masks & 0x20;
    out->hiding = masks & 0x40;
    out->guests = reader_u32le(&r);
    reader_copy(&r, out->current_tcb, 8);
    reader_copy(&r, out->reported_tcb, 8);
    return reader_done(&r);
}

int sev_status_read(const char *device, struct sev_status *out, struct err *e) {
    cleanup_fd int fd = open(device, O_RDWR | O_CLOEXEC);
    uint8_t raw[SEV_STATUS_SIZE] = {0};
    struct sev_ask ask = {.command = SNP_PLATFORM_STATUS, .data = (uintptr_t)raw};

    if (fd < 0)
        return err_sys(e, errno, "%s cannot be opened", device);
    if (ioctl(fd, SEV_ASK, &ask) < 0)
        return err_set(e, "no-sev",
                       "the secure processor refuses SNP_PLATFORM_STATUS: %s (error %#x)",
                       strerror(errno), ask.error);
    if (!sev_status_parse(view_of(raw, sizeof raw), out))
        return err_set(e, "no-sev", "the secure processor's status cannot be read");
    return 0;
}
