#include "tui/clipboard.h"

#include "core/enc.h"
#include "core/text.h"

int clipboard_bytes(struct view text, struct buf *out, struct err *e) {
    cleanup_buf struct buf safe = {0};
    struct safe_text t;

    if (text.n > CLIPBOARD_MAX)
        return err_set(e, "too-large",
                       "%zu bytes are too many for a terminal's clipboard (at most %zu): save it "
                       "instead",
                       text.n, CLIPBOARD_MAX);
    t = text_safe(text, TEXT_PROSE, SIZE_MAX, &safe);
    if (t.n == 0 || t.n > CLIPBOARD_MAX)
        return err_set(e, t.n ? "too-large" : "empty", "there is nothing to copy");
    buf_str(out, "\033]52;c;");
    base64_encode(view_of(t.s, t.n), out);
    buf_str(out, "\a");
    return 0;
}
