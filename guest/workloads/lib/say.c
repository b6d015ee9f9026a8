#include "say.h"

#include "core/text.h"

#define SENTENCE_MAX 400
/* An escaped byte takes six at most, and a line has more than the text. */
#define PIECE_MAX ((size_t)8192)

void say_begin(struct say *s, const char *id) {
    s->body = (struct buf){0};
    s->w = jw_new(&s->body);
    if (id)
        jw_kstr(&s->w, "id", id);
}

bool say_send(struct say *s, struct lines *l, const char *type) {
    bool read = lines_say(l, type, buf_view(&s->body));

    buf_wipe(&s->body);
    return read;
}

bool say_error(struct lines *l, const char *id, const struct err *e) {
    cleanup_free char *message = text_safe_new(view_str(e->text), TEXT_LINE, SENTENCE_MAX);
    struct say s;

    say_begin(&s, id);
    jw_kstr(&s.w, "code", e->code);
    jw_kstr(&s.w, "message", message);
    return say_send(&s, l, "error");
}

bool say_progress(struct lines *l, const char *id, uint64_t done, uint64_t total, const char *unit,
                  const char *note) {
    struct say s;

    say_begin(&s, id);
    jw_kint(&s.w, "done", (int64_t)done);
    jw_kint(&s.w, "total", (int64_t)total);
    jw_kstr(&s.w, "unit", unit);
    jw_kstr(&s.w, "note", note);
    return say_send(&s, l, "progress");
}

bool say_text(struct lines *l, const char *id, struct view utf8) {
    bool read = true;

    while (read && utf8.n) {
        size_t n = utf8.n < PIECE_MAX ? utf8.n : PIECE_MAX;
        struct say s;

        while (n < utf8.n && n && (utf8.p[n] & 0xc0) == 0x80)
            n--;
        say_begin(&s, id);
        jw_key(&s.w, "text");
        jw_view(&s.w, view_of(utf8.p, n));
        read = say_send(&s, l, "delta");
        utf8 = view_of(utf8.p + n, utf8.n - n);
    }
    return read;
}
