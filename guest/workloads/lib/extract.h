/* A file of one of the formats we know becomes text.
 *
 * The format follows from the first bytes where they say it (pdf, zip), else from the name. Runs in
 * a process of its own (apart.h): the libraries and tools under it meet hostile bytes. */
#ifndef CDVM_WORKLOAD_EXTRACT_H
#define CDVM_WORKLOAD_EXTRACT_H

#include "doctext.h"

#define EXTRACT_FILE_MAX ((size_t)64 << 20) /* bytes of a file */

/* The format's name ("text", "markdown", "html", "csv", "pdf", "docx"), or NULL and "unsupported"
 * with what is supported. head: the file's first bytes, 8 or more where it has them. */
const char *extract_format(const char *name, struct view head, struct err *e);
/* "bad-document" (broken, empty, encrypted), "too-large", "unsupported" (binary data). */
int extract(const char *format, const char *path, struct doctext *out, struct err *e) WARN_UNUSED;

/* The formats that are parsed in memory; every one takes any bytes. */
int extract_text(struct view bytes, struct doctext *out, struct err *e) WARN_UNUSED;
int extract_markdown(struct view bytes, struct doctext *out, struct err *e) WARN_UNUSED;
int extract_csv(struct view bytes, struct doctext *out, struct err *e) WARN_UNUSED;
int extract_html(struct view bytes, struct doctext *out, struct err *e) WARN_UNUSED;
int extract_docx_xml(struct view bytes, struct doctext *out, struct err *e) WARN_UNUSED;

#endif
