#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sev-guest.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int tsm_write(const char *dir, const char *attr, struct view data, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/%s", dir, attr);
    cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, data.p, data.n) != (ssize_t)data.n)
        return err_sys(e, errno, "cannot write %s", path);
    return 0;
}

static int tsm_read(const char *dir, const char *attr, size_t max, struct buf *out, struct err *e) {
    cleanup_free char *path = mem_fmt("%s/%s", dir, attr);

    return file_read(path, max, out, e);
}

/* Linux Documentation/ABI/testing/configfs-tsm: write inblob, read outblob. */
static int tsm_ask(const char *dir, const uint8_t data[static 64], struct buf *out, struct err *e) {
    cleanup_buf struct buf provider = {0};

    if (tsm_read(dir, "provider", 64, &provider, e))
        return -1;
    if (!view_is(buf_view(&provider), "sev_guest\n"))
        return err_set(e, "no-report", "the kernel's report provider is not sev_guest");
    if (tsm_write(dir, "inblob", view_of(data, 64), e) || tsm_read(dir, "outblob", 4096, out, e))
        return -1;
    return 0;
}

static int from_tsm(const char *base, const uint8_t data[static 64], struct buf *out,
                    struct err *e) {
    cleanup_free char *dir = mem_fmt("%s/cdvm", base);
    int rc;

    if (mkdir(dir, 0700))
        return 0;
    rc = tsm_ask(dir, data, out, e);
    rmdir(dir);
    return rc ? -1 : 1;
}

/* MSG_REPORT_RSP: u32 status, u32 size, 24 reserved bytes, then the report (ABI table 24). */
struct report_response {
    uint32_t status, size;
    uint8_t reserved[24];
    uint8_t report[REPORT_LEN];
    uint8_t rest[4000 - 32 - REPORT_LEN];
};

static int from_device(const char *path, const uint8_t data[static 64], struct buf *out,
                       struct err *e) {
    static struct report_response response;
    struct snp_report_req req = {.vmpl = 0};
    struct snp_guest_request_ioctl call = {
        .msg_version = 1,
        .req_data = (uintptr_t)&req,
        .resp_data = (uintptr_t)&response,
    };
    cleanup_fd int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT ? 0 : err_sys(e, errno, "cannot open %s", path);
    memcpy(req.user_data, data, sizeof req.user_data);
    if (ioctl(fd, SNP_GET_REPORT, &call))
        return err_sys(e, errno, "the secure processor refused a report");
    if (response.status || response.size != REPORT_LEN)
        return err_set(e, "no-report", "the secure processor answered with status %u and %u bytes",
                       response.status, response.size);
    buf_add(out, response.report, REPORT_LEN);
    return 1;
}

int report_get(const struct report_places *at, const uint8_t data[static 64], struct buf *out,
               struct err *e) {
    int rc = from_tsm(at->tsm, data, out, e);

    if (!rc)
        rc = from_device(at->device, data, out, e);
    if (rc == 1 && out->n != REPORT_LEN)
        return err_set(e, "no-report", "the report has %zu bytes instead of %zu", out->n,
                       REPORT_LEN);
    return rc;
}
