#include "sev_dev.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/reader.h"

/* Debian 12's linux/psp-sev.h ends before SNP. */
#define SEV_GET_ID2 8
struct sev_get_id2 {
    uint64_t address;
    uint32_t length;
} __attribute__((packed));
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

static int ask_device(const char *device, uint32_t command, const char *name, void *data,
                      struct err *e) {
    cleanup_fd int fd = open(device, O_RDWR | O_CLOEXEC);
    struct sev_ask ask = {.command = command, .data = (uintptr_t)data};

    if (fd < 0)
        return err_set(e, "no-sev", "%s cannot be opened: %s", device, strerror(errno));
    if (ioctl(fd, SEV_ASK, &ask) < 0)
        return err_set(e, "no-sev", "the secure processor refuses %s: %s (error %#x)", name,
                       strerror(errno), ask.error);
    return 0;
}

int sev_status_read(const char *device, struct sev_status *out, struct err *e) {
    uint8_t raw[SEV_STATUS_SIZE] = {0};

    if (ask_device(device, SNP_PLATFORM_STATUS, "SNP_PLATFORM_STATUS", raw, e) < 0)
        return -1;
    if (!sev_status_parse(view_of(raw, sizeof raw), out))
        return err_set(e, "no-sev", "the secure processor's status cannot be read");
    return 0;
}

int sev_chip_id(const char *device, uint8_t id[static CHIP_ID], struct err *e) {
    struct sev_get_id2 get = {.address = (uintptr_t)id, .length = CHIP_ID};

    memset(id, 0, CHIP_ID);
    return ask_device(device, SEV_GET_ID2, "SEV_GET_ID2", &get, e);
}
