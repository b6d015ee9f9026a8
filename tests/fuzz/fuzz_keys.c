/* What is typed and pasted: any sequence of keys through the decoder into an editor. A paste brings
 * no control characters, a pasted newline is never an Enter, and the editor's layout always holds
 * its cursor. */
#include "core/text.h"
#include "tests/fuzz/fuzz.h"
#include "tui/edit.h"
#include "tui/input.h"
#include "tui/keys.h"

#define MAX 200
#define ROWS 4

static struct {
    struct edit *edit;
    bool pasted, idle; /* in this burst; called from input_idle */
} now;

static void on_key(void *arg, uint32_t key) {
    enum action act = keys_find(SCR_CHAT, key);

    (void)arg;
    MUST(key != K_PASTE_BEGIN && key != K_PASTE_END);
    if (key == K_ENTER)
        MUST(now.idle && !now.pasted); /* sends: only alone, at the end of a burst */
    if (act >= ACT_EDIT_FIRST)
        edit_do(now.edit, (enum edit_op)(act - ACT_EDIT_FIRST));
    else if (act == ACT_SEND)
        edit_remember(now.edit);
    else if (act == ACT_NONE && key < 0x110000)
        edit_insert(now.edit, key);
}

static void on_paste(void *arg, struct view text, bool cut) {
    (void)arg;
    (void)cut;
    now.pasted = true;
    for (size_t i = 0; i < text.n; i++)
        MUST(text.p[i] >= 0x20 ? text.p[i] != 0x7f : text.p[i] == '\n' || text.p[i] == '\t');
    edit_paste(now.edit, text);
}

static void check(void) {
    struct edit_row rows[ROWS];
    struct edit_place at;
    size_t first, n = edit_layout(now.edit, 7, rows, ROWS, &first, &at);
    cleanup_buf struct buf text = {0};

    MUST(edit_len(now.edit) <= MAX && edit_pos(now.edit) <= edit_len(now.edit));
    MUST(n >= 1 && at.row < n && at.row >= first && at.row - first < ROWS && at.col <= 8);
    MUST(edit_pos(now.edit) >= rows[at.row - first].from);
    edit_text(now.edit, &text);
    MUST(utf8_valid(buf_view(&text)));
    for (size_t i = 0; i < edit_len(now.edit); i++)
        MUST(edit_at(now.edit, i) == '\n' || cp_width(edit_at(now.edit, i)) >= 0);
}

/* One byte is a key, but: 0x00 a pause, 0x01 and 0x02 the brackets of a paste, 0x80.. special keys,
 * and 0xff with three more any code point. */
static uint32_t next_key(const uint8_t **p, const uint8_t *end) {
    uint8_t c = *(*p)++;

    if (c == 0xff && end - *p >= 3) {
        *p += 3;
        return (uint32_t)((*p)[-3] << 16 | (*p)[-2] << 8 | (*p)[-1]) & 0x1fffff;
    }
    return c == 1 ? K_PASTE_BEGIN : c == 2 ? K_PASTE_END : c >= 0x80 ? K_UP + (c & 15u) : c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct input_handler H = {on_key, on_paste};
    const uint8_t *p = data, *end = data + size;
    struct input *in;

    if (size == 0)
        return 0;
    now.edit = edit_new(MAX, true);
    now.pasted = now.idle = false;
    in = input_new(*p++ & 1, &H, NULL);
    while (p < end) {
        uint32_t key = next_key(&p, end);

        if (key == 0) {
            now.idle = true;
            input_idle(in);
            now.idle = now.pasted = false;
        } else
            input_put(in, key);
        check();
    }
    input_free(in);
    edit_free(now.edit);
    return 0;
}
