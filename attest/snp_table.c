/* The certificate table that a host hands out with an extended report (GHCB specification 56421).
 */
#include "snp_cert.h"

#include <string.h>

#include "core/reader.h"

#define ENTRY ((size_t)24)

struct slot {
    uint8_t guid[16]; /* RFC 4122 order, as in the table */
    size_t at;        /* offset of the view in struct cert_table */
};
#define SLOT(field) offsetof(struct cert_table, field)
static const struct slot slots[] = {
    {{0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac,
      0xcd},
     SLOT(vcek)},
    {{0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8,
      0xa1},
     SLOT(vlek)},
    {{0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7,
      0x82},
     SLOT(ask)},
    {{0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0,
      0xae},
     SLOT(ark)},
    {{0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d, 0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc, 0x67,
      0xea},
     SLOT(crl)},
};

static struct view *slot_for(struct cert_table *t, const uint8_t *guid) {
    for (size_t i = 0; i < COUNT(slots); i++)
        if (!memcmp(slots[i].guid, guid, 16))
            return (struct view *)(void *)((char *)t + slots[i].at);
    return NULL;
}

/* Number of entries before the all-zero one; SIZE_MAX when the table ends without it. */
static size_t count_entries(struct view table) {
    static const uint8_t zero[ENTRY];
    size_t n = 0;

    while (table.n >= (n + 1) * ENTRY) {
        if (!memcmp(table.p + n * ENTRY, zero, ENTRY))
            return n;
        n++;
    }
    return SIZE_MAX;
}

static int take_entry(struct view table, size_t header, const uint8_t *entry,
                      struct cert_table *out, struct err *e) {
    struct reader r = reader_new(view_of(entry + 16, 8));
    const uint64_t offset = reader_u32le(&r), length = reader_u32le(&r);
    struct view *slot = slot_for(out, entry);

    if (offset < header || offset + length > table.n)
        return err_set(e, "bad-cert-table",
                       "an entry lies at %llu with %llu bytes, the table has %zu",
                       (unsigned long long)offset, (unsigned long long)length, table.n);
    if (!slot)
        return 0;
    if (slot->p)
        return err_set(e, "bad-cert-table", "it has two entries of one kind");
    *slot = view_of(table.p + offset, (size_t)length);
    return 0;
}

int cert_table_parse(struct view table, struct cert_table *out, struct err *e) {
    size_t n;

    *out = (struct cert_table){0};
    if (!table.n)
        return 0;
    if (table.n > CERT_TABLE_MAX)
        return err_set(e, "bad-cert-table", "it is %zu bytes long, more than 1 MiB", table.n);
    n = count_entries(table);
    if (n == SIZE_MAX)
        return err_set(e, "bad-cert-table", "its header has no end");
    for (size_t i = 0; i < n; i++)
        if (take_entry(table, (n + 1) * ENTRY, table.p + i * ENTRY, out, e)) {
            *out = (struct cert_table){0};
            return -1;
        }
    return 0;
}
