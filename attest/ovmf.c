/* The firmware's own tables: the GUID list at the end of the file and the SEV metadata it points to
 * (cdvm-attestation(7), "Launch digest"). Hostile input: every length is compared before it is
 * used. */
#include "snp_measure.h"

#include <string.h>

#include "core/hash.h"
#include "core/reader.h"

#define PAGE ((size_t)4096)
#define FIRMWARE_MAX ((size_t)16 << 20)
#define SECTION_SIZE_MAX ((uint32_t)16 << 20)
#define ENTRY_TAIL ((size_t)18) /* u16 length, GUID: at the end of each entry */
#define FOOTER_GAP ((size_t)32) /* reset vector code after the table */
#define METADATA_HEAD ((size_t)16)

/* GUIDs as they lie in the file (mixed-endian). */
static const uint8_t guid_footer[16] = {0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
                                        0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d};
static const uint8_t guid_metadata[16] = {0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47,
                                          0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc};
static const uint8_t guid_hashes[16] = {0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b,
                                        0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54};
static const uint8_t guid_reset[16] = {0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f,
                                       0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e};

/* What the table says, each at most once. */
struct footer {
    struct view metadata, hashes, reset;
};

static struct view *footer_slot(struct footer *f, const uint8_t *guid) {
    if (!memcmp(guid, guid_metadata, 16))
        return &f->metadata;
    if (!memcmp(guid, guid_hashes, 16))
        return &f->hashes;
    if (!memcmp(guid, guid_reset, 16))
        return &f->reset;
    return NULL;
}

/* The table is read backwards: an entry's length and GUID follow its data. */
static int footer_walk(struct view table, struct footer *out, struct err *e) {
    while (table.n) {
        struct view *slot;
        struct reader tail;
        size_t len;

        if (table.n < ENTRY_TAIL)
            return err_set(e, "bad-firmware", "%zu stray bytes in its GUID table", table.n);
        tail = reader_new(view_of(table.p + table.n - ENTRY_TAIL, ENTRY_TAIL));
        len = reader_u16le(&tail);
        if (len < ENTRY_TAIL || len > table.n)
            return err_set(e, "bad-firmware", "a GUID table entry says %zu bytes, %zu are left",
                           len, table.n);
        slot = footer_slot(out, tail.p);
        if (slot && slot->p)
            return err_set(e, "bad-firmware", "a GUID occurs twice in its table");
        if (slot)
            *slot = view_of(table.p + table.n - len, len - ENTRY_TAIL);
        table.n -= len;
    }
    return 0;
}

static int footer_find(struct view file, struct footer *out, struct err *e) {
    const size_t end = file.n - FOOTER_GAP; /* file.n is at least one page */
    struct reader tail = reader_new(view_of(file.p + end - ENTRY_TAIL, ENTRY_TAIL));
    size_t len = reader_u16le(&tail);

    if (memcmp(tail.p, guid_footer, 16) != 0)
        return err_set(e, "bad-firmware", "it has no GUID table: not an OVMF image?");
    if (len < ENTRY_TAIL || len > end)
        return err_set(e, "bad-firmware", "its GUID table says %zu bytes", len);
    return footer_walk(view_of(file.p + end - len, len - ENTRY_TAIL), out, e);
}

static bool section_known(uint32_t type) {
    return (type >= 1 && type <= 4) || type == 0x10;
}

static int section_check(const struct ovmf_section *s, struct err *e) {
    if (!section_known(s->type))
        return err_set(e, "bad-firmware",
                       "section type 0x%x is unknown: measuring it would be a guess", s->type);
    if (s->gpa % PAGE || s->size % PAGE || !s->size || s->size > SECTION_SIZE_MAX ||
        s->size > UINT32_MAX - s->gpa)
        return err_set(e, "bad-firmware", "section of type %u at 0x%x has a bad size 0x%x", s->type,
                       s->gpa, s->size);
    if ((s->type == 2 || s->type == 3 || s->type == 0x10) && s->size != PAGE)
        return err_set(e, "bad-firmware", "section of type %u is 0x%x bytes, one page is right",
                       s->type, s->size);
    return 0;
}

static int metadata_read(struct view file, uint32_t from_end, struct ovmf *out, struct err *e) {
    struct reader r;
    uint32_t magic, size, version, count;

    if (from_end > file.n || from_end < METADATA_HEAD)
        return err_set(e, "bad-firmware", "SEV metadata would lie %u bytes before its end",
                       from_end);
    r = reader_new(view_of(file.p + file.n - from_end, from_end));
    magic = reader_u32be(&r);
    size = reader_u32le(&r);
    version = reader_u32le(&r);
    count = reader_u32le(&r);
    if (magic != 0x41534556 || version != 1) /* "ASEV" */
        return err_set(e, "bad-firmware", "its SEV metadata is not of version 1");
    if (!count || count > OVMF_SECTIONS_MAX || size < METADATA_HEAD + 12 * (size_t)count)
        return err_set(e, "bad-firmware", "its SEV metadata has %u sections in %u bytes", count,
                       size);
    for (uint32_t i = 0; i < count; i++) {
        struct ovmf_section *s = &out->section[i];

        s->gpa = reader_u32le(&r);
        s->size = reader_u32le(&r);
        s->type = reader_u32le(&r);
        if (reader_ok(&r) && section_check(s, e))
            return -1;
    }
    if (!reader_ok(&r))
        return err_set(e, "bad-firmware", "its SEV metadata is cut short");
    out->n_sections = count;
    return 0;
}

static int tables_read(struct view file, struct ovmf *out, struct err *e) {
    struct footer f = {0};
    struct reader m, h, a;
    uint32_t from_end;

    if (footer_find(file, &f, e))
        return -1;
    m = reader_new(f.metadata);
    a = reader_new(f.reset);
    h = reader_new(f.hashes);
    from_end = reader_u32le(&m);
    out->ap_eip = reader_u32le(&a);
    out->hashes_gpa = f.hashes.p ? reader_u32le(&h) : 0;
    if (!reader_ok(&m))
        return err_set(e, "bad-firmware", "it has no SEV metadata: built without SEV-SNP?");
    if (!reader_ok(&a) || !reader_ok(&h))
        return err_set(e, "bad-firmware", "it does not say where other vCPUs start");
    return metadata_read(file, from_end, out, e);
}

int ovmf_parse(struct view file, struct ovmf *out, struct err *e) {
    *out = (struct ovmf){0};
    if (!file.n || file.n % PAGE || file.n > FIRMWARE_MAX)
        return err_set(e, "bad-firmware",
                       "firmware of %zu bytes: a multiple of 4096, at most 16 MiB, is expected",
                       file.n);
    if (tables_read(file, out, e))
        return -1;
    sha256(file, out->sha256);
    snp_digest_firmware(file, out->snp_digest);
    return 0;
}
