#include "gpu_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "enc.h"

#define PEM_LINE 64

static const char begin_line[] = "-----BEGIN CERTIFICATE-----";
static const char end_line[] = "-----END CERTIFICATE-----";
static const char *const arches[] = {"HOPPER", "BLACKWELL", "LS10"};

#define BAD(...) err_set(e, "bad-gpu-list", __VA_ARGS__)

/* --- PEM --- */

/* The next line without its "\n", which only the last may lack. */
static struct view line_take(struct view *rest) {
    const uint8_t *nl = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    const size_t n = nl ? (size_t)(nl - rest->p) : rest->n;
    const struct view line = view_of(rest->p, n);

    *rest = view_of(rest->p + n + (nl != NULL), rest->n - n - (nl != NULL));
    return line;
}

/* Lines of exactly 64 characters, and a last one that may be shorter, up to the end line. */
static bool body_take(struct view *rest, struct buf *b64) {
    bool last = false;

    while (rest->n) {
        const struct view line = line_take(rest);

        if (view_is(line, end_line))
            return true;
        if (last || !line.n || line.n > PEM_LINE)
            return false;
        last = line.n < PEM_LINE;
        buf_add(b64, line.p, line.n);
    }
    return false;
}

int pem_certificates(struct view pem, struct buf *der, size_t max, size_t *n, struct err *e) {
    *n = 0;
    if (pem.n > GPU_PEM_MAX)
        return err_set(e, "too-large", "%zu bytes, at most %zu are a chain", pem.n, GPU_PEM_MAX);
    while (pem.n) {
        cleanup_buf struct buf b64 = {0}, one = {0};
        struct buf *to = *n < max ? &der[*n] : &one;

        buf_reset(to);
        if (!view_is(line_take(&pem), begin_line) || !body_take(&pem, &b64) ||
            !base64_decode(buf_view(&b64), to))
            return BAD("certificate %zu of the chain is not PEM", *n);
        ++*n;
    }
    return 0;
}

/* --- one device --- */

static bool arch_known(const char *arch) {
    for (size_t i = 0; i < COUNT(arches); i++)
        if (!strcmp(arches[i], arch))
            return true;
    return false;
}

/* Points the evidence at the item's own bytes. */
static void item_point(struct gpu_item *i) {
    i->ev.arch = i->arch[0] ? i->arch : NULL;
    i->ev.report = buf_view(&i->report);
    for (size_t k = 0; k < GPU_CERTS; k++)
        i->ev.cert[k] = buf_view(&i->cert[k]);
}

static int item_finish(struct gpu_item *i, const char *arch, struct view pem, struct err *e) {
    if (arch && !arch_known(arch))
        return BAD("its 'arch' is none of HOPPER, BLACKWELL and LS10");
    snprintf(i->arch, sizeof i->arch, "%s", arch ? arch : "");
    return pem_certificates(pem, i->cert, GPU_CERTS, &i->n_certs, e);
}

int gpu_item_read(struct gpu_item *out, const char *arch, struct view report, struct view pem,
                  struct err *e) {
    *out = (struct gpu_item){0};
    buf_add(&out->report, report.p, report.n);
    if (item_finish(out, arch, pem, e))
        return -1;
    item_point(out);
    return 0;
}

void gpu_item_free(struct gpu_item *i) {
    buf_free(&i->report);
    for (size_t k = 0; k < GPU_CERTS; k++)
        buf_free(&i->cert[k]);
    *i = (struct gpu_item){0};
}

static int item_json(const cJSON *o, struct gpu_item *i, struct err *e) {
    const char *arch = json_str(o, "arch", e), *report = json_str(o, "evidence", e),
               *chain = json_str(o, "certificate", e);
    cleanup_buf struct buf pem = {0};

    if (!arch || !report || !chain)
        return BAD("it has not all of 'arch', 'evidence' and 'certificate'");
    i->has_nonce = json_opt(o, "nonce") && json_hex(o, "nonce", i->nonce, sizeof i->nonce, e);
    i->has_state = json_opt(o, "state") && json_hex(o, "state", i->ev.state, 4, e);
    if ((json_opt(o, "nonce") && !i->has_nonce) || (json_opt(o, "state") && !i->has_state))
        return BAD("its 'nonce' is not 64 or its 'state' not 8 hex digits");
    buf_init(&i->report, GPU_REPORT_MAX);
    if (!base64_decode(view_str(report), &i->report) || i->report.full)
        return BAD("its 'evidence' is not base64 of a report");
    if (!base64_decode(view_str(chain), &pem))
        return BAD("its 'certificate' is not base64");
    return item_finish(i, arch, buf_view(&pem), e);
}

/* --- the order --- */

/* Serial number of certificate 1, big-endian without leading zeros; empty when unreadable. */
struct keyed {
    struct gpu_evidence ev;
    struct buf serial;
};

static void serial_read(struct view der, struct buf *out) {
    const uint8_t *p = der.p;
    X509 *x = der.n ? d2i_X509(NULL, &p, (long)der.n) : NULL;
    const ASN1_INTEGER *serial = x ? X509_get0_serialNumber(x) : NULL;

    if (serial && ASN1_STRING_type(serial) == V_ASN1_INTEGER)
        buf_add(out, ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial));
    X509_free(x);
    ERR_clear_error();
}

static int serial_compare(const void *a, const void *b) {
    const struct buf *x = &((const struct keyed *)a)->serial,
                     *y = &((const struct keyed *)b)->serial;

    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return memcmp(x->p, y->p, x->n);
}

/* The n devices' places in order; k has room for n. */
static int order_find(struct keyed *k, size_t n, struct err *e) {
    for (size_t i = 0; i < n; i++)
        if (!k[i].serial.n)
            return BAD("GPU %zu: its certificate 1 has no serial number", i + 1);
    qsort(k, n, sizeof *k, serial_compare);
    for (size_t i = 1; i < n; i++)
        if (!serial_compare(&k[i - 1], &k[i]))
            return err_set(e, "same-gpu", "one GPU is shown twice");
    return 0;
}

static void keys_read(struct keyed *k, const struct gpu_evidence *gpu, size_t n) {
    for (size_t i = 0; i < n; i++) {
        k[i] = (struct keyed){.ev = gpu[i]};
        serial_read(gpu[i].cert[1], &k[i].serial);
    }
}

static void keys_free(struct keyed *k, size_t n) {
    for (size_t i = 0; i < n; i++)
        buf_free(&k[i].serial);
}

int gpu_order(struct gpu_evidence *gpu, size_t n, struct err *e) {
    struct keyed k[GPUS_MAX];
    int rc;

    if (n > GPUS_MAX)
        return err_set(e, "too-large", "evidence of %zu GPUs, at most %d are understood", n,
                       GPUS_MAX);
    keys_read(k, gpu, n);
    rc = order_find(k, n, e);
    for (size_t i = 0; i < n && !rc; i++)
        gpu[i] = k[i].ev;
    keys_free(k, n);
    return rc;
}

/* --- the list --- */

static int items_json(const cJSON *array, struct gpu_list *out, struct err *e) {
    const cJSON *o;

    cJSON_ArrayForEach(o, array) {
        struct gpu_item *i = &out->item[out->n++];

        if (item_json(o, i, e))
            return err_wrap(e, "GPU %zu", out->n);
        item_point(i);
    }
    return 0;
}

int gpu_list_read(const cJSON *array, struct gpu_list *out, struct err *e) {
    const int n = cJSON_GetArraySize(array);

    *out = (struct gpu_list){0};
    if (!cJSON_IsArray(array))
        return BAD("the evidence of GPUs is not a list");
    if (n > GPUS_MAX)
        return err_set(e, "too-large", "evidence of %d GPUs, at most %d are understood", n,
                       GPUS_MAX);
    out->item = mem_new(((size_t)n + 1) * sizeof *out->item);
    return items_json(array, out, e);
}

int gpu_list_parse(struct view json, struct gpu_list *out, struct err *e) {
    cJSON *v = json_parse(json, GPU_LIST_MAX, e);
    int rc;

    *out = (struct gpu_list){0};
    if (!v)
        return -1;
    rc = gpu_list_read(v, out, e);
    cJSON_Delete(v);
    return rc;
}

void gpu_list_free(struct gpu_list *l) {
    for (size_t i = 0; i < l->n; i++)
        gpu_item_free(&l->item[i]);
    free(l->item);
    *l = (struct gpu_list){0};
}

int gpu_list_bound(const struct gpu_list *l, struct gpu_evidence *gpu, struct err *e) {
    for (size_t i = 0; i < l->n; i++) {
        if (!l->item[i].has_state)
            return BAD("GPU %zu: its 'state' is missing", i + 1);
        if (l->item[i].n_certs != GPU_CERTS)
            return BAD("GPU %zu: its chain has %zu certificates instead of %d", i + 1,
                       l->item[i].n_certs, GPU_CERTS);
        gpu[i] = l->item[i].ev;
    }
    return gpu_order(gpu, l->n, e);
}

static void chain_write(const struct gpu_evidence *g, struct buf *pem) {
    for (size_t k = 0; k < GPU_CERTS; k++) {
        cleanup_buf struct buf b64 = {0};

        base64_encode(g->cert[k], &b64);
        buf_fmt(pem, "%s\n", begin_line);
        for (size_t at = 0; at < b64.n; at += PEM_LINE)
            buf_fmt(pem, "%.*s\n", PEM_LINE, (const char *)b64.p + at);
        buf_fmt(pem, "%s\n", end_line);
    }
}

void gpu_list_write(const struct gpu_evidence *gpu, size_t n, const uint8_t nonce[static 32],
                    struct jw *w) {
    jw_arr(w);
    for (size_t i = 0; i < n; i++) {
        cleanup_buf struct buf pem = {0};

        chain_write(&gpu[i], &pem);
        jw_obj(w);
        jw_kstr(w, "arch", gpu[i].arch);
        jw_khex(w, "nonce", view_of(nonce, 32));
        jw_kb64(w, "evidence", gpu[i].report);
        jw_kb64(w, "certificate", buf_view(&pem));
        jw_khex(w, "state", view_of(gpu[i].state, 4));
        jw_end_obj(w);
    }
    jw_end_arr(w);
}
