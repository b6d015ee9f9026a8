/* A picture of a terminal: reads what a program sent to one (`tmux capture-pane -ep`, or raw bytes
 * of a pty), lets libvterm make cells of it, writes them as SVG on standard output.
 *
 * usage: shot COLSxROWS <BYTES >PICTURE.svg */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vterm.h>

#define CELL_W 9
#define CELL_H 19
#define BASELINE 14
#define MARGIN 10

static const uint32_t PALETTE[16] = {0x1b2229, 0xe06c75, 0x8cc265, 0xd9a343, 0x5aa7e8, 0xc678dd,
                                     0x4fb8c4, 0xc8cdd5, 0x5c6370, 0xff7b86, 0xa5e075, 0xf0c05a,
                                     0x7cc0ff, 0xde8df5, 0x6fd6e0, 0xffffff};
static const VTermColor FG = {.rgb = {VTERM_COLOR_RGB, 0xd8, 0xde, 0xe9}};
static const VTermColor BG = {.rgb = {VTERM_COLOR_RGB, 0x10, 0x14, 0x18}};

struct picture {
    VTerm *vt;
    VTermScreen *screen;
    int rows, cols;
};

static bool picture_open(struct picture *p) {
    VTermState *state;

    p->vt = vterm_new(p->rows, p->cols);
    if (!p->vt)
        return false;
    vterm_set_utf8(p->vt, 1);
    p->screen = vterm_obtain_screen(p->vt);
    state = vterm_obtain_state(p->vt);
    vterm_state_set_default_colors(state, &FG, &BG);
    vterm_screen_reset(p->screen, 1);
    for (int i = 0; i < 16; i++) {
        VTermColor c;

        vterm_color_rgb(&c, (uint8_t)(PALETTE[i] >> 16), (uint8_t)(PALETTE[i] >> 8),
                        (uint8_t)PALETTE[i]);
        vterm_state_set_palette_color(state, i, &c);
    }
    return true;
}

/* A capture ends its lines with a bare newline; a terminal wants the return too. */
static void picture_read(struct picture *p, FILE *in) {
    int c, last = 0;

    while ((c = getc(in)) != EOF) {
        char byte = (char)c;

        if (c == '\n') {
            c = getc(in);
            if (c == EOF)
                break; /* the last newline would scroll */
            ungetc(c, in);
            if (last != '\r')
                vterm_input_write(p->vt, "\r", 1);
        }
        last = byte;
        vterm_input_write(p->vt, &byte, 1);
    }
}

/* The colour cube and the greys as xterm has them; libvterm 0.1 has its own. */
static uint32_t xterm_rgb(uint8_t i) {
    static const uint8_t STEP[] = {0, 0x5f, 0x87, 0xaf, 0xd7, 0xff};
    uint8_t grey = (uint8_t)(8 + (i - 232) * 10);

    if (i >= 232)
        return (uint32_t)grey << 16 | (uint32_t)grey << 8 | grey;
    i = (uint8_t)(i - 16);
    return (uint32_t)STEP[i / 36] << 16 | (uint32_t)STEP[i / 6 % 6] << 8 | STEP[i % 6];
}

static uint32_t rgb(const struct picture *p, VTermColor c) {
    if (VTERM_COLOR_IS_INDEXED(&c) && c.indexed.idx >= 16)
        return xterm_rgb(c.indexed.idx);
    vterm_screen_convert_color_to_rgb(p->screen, &c);
    return (uint32_t)c.rgb.red << 16 | (uint32_t)c.rgb.green << 8 | c.rgb.blue;
}

struct look {
    uint32_t fg, bg;
    bool bold, underline;
};

static VTermScreenCell cell_at(const struct picture *p, int y, int x, struct look *look) {
    VTermScreenCell cell;
    uint32_t fg, bg;

    vterm_screen_get_cell(p->screen, (VTermPos){.row = y, .col = x}, &cell);
    fg = rgb(p, cell.fg);
    bg = rgb(p, cell.bg);
    *look = (struct look){cell.attrs.reverse ? bg : fg, cell.attrs.reverse ? fg : bg,
                          cell.attrs.bold, cell.attrs.underline != 0};
    return cell;
}

static void put_utf8(uint32_t cp) {
    if (cp == '<' || cp == '>' || cp == '&')
        printf("&#%u;", cp);
    else if (cp < 0x80)
        putchar((int)cp);
    else if (cp < 0x800)
        printf("%c%c", (int)(0xc0 | cp >> 6), (int)(0x80 | (cp & 0x3f)));
    else if (cp < 0x10000)
        printf("%c%c%c", (int)(0xe0 | cp >> 12), (int)(0x80 | (cp >> 6 & 0x3f)),
               (int)(0x80 | (cp & 0x3f)));
    else
        printf("%c%c%c%c", (int)(0xf0 | cp >> 18), (int)(0x80 | (cp >> 12 & 0x3f)),
               (int)(0x80 | (cp >> 6 & 0x3f)), (int)(0x80 | (cp & 0x3f)));
}

static void background(const struct picture *p, int y) {
    uint32_t plain = rgb(p, BG);

    for (int x = 0; x < p->cols;) {
        struct look look, next;
        int from = x;

        cell_at(p, y, x, &look);
        do
            x++;
        while (x < p->cols && (cell_at(p, y, x, &next), next.bg == look.bg));
        if (look.bg != plain)
            printf("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#%06x\"/>\n",
                   MARGIN + from * CELL_W, MARGIN + y * CELL_H, (x - from) * CELL_W, CELL_H,
                   look.bg);
    }
}

static bool same_run(const struct look *a, const struct look *b) {
    return a->fg == b->fg && a->bold == b->bold && a->underline == b->underline;
}

/* One element for a run of plain letters; anything beyond ASCII stands alone, at its own cell. */
static int text_run(const struct picture *p, int y, int x) {
    struct look look, next;
    VTermScreenCell cell = cell_at(p, y, x, &look);
    bool ascii = cell.chars[0] < 0x80;
    int from = x;

    if (cell.chars[0] == 0 || cell.chars[0] == ' ' || cell.chars[0] == (uint32_t)-1)
        return x + (cell.width > 1 ? cell.width : 1);
    printf("<text x=\"%d\" y=\"%d\" fill=\"#%06x\"%s%s>", MARGIN + from * CELL_W,
           MARGIN + y * CELL_H + BASELINE, look.fg, look.bold ? " font-weight=\"bold\"" : "",
           look.underline ? " text-decoration=\"underline\"" : "");
    do {
        for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i]; i++)
            put_utf8(cell.chars[i]);
        x += cell.width > 1 ? cell.width : 1;
        if (!ascii || x >= p->cols)
            break;
        cell = cell_at(p, y, x, &next);
    } while (cell.chars[0] > 0 && cell.chars[0] < 0x80 && same_run(&look, &next));
    puts("</text>");
    return x;
}

static void picture_write(const struct picture *p) {
    int w = 2 * MARGIN + p->cols * CELL_W, h = 2 * MARGIN + p->rows * CELL_H;

    printf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
           "font-family=\"DejaVu Sans Mono\" font-size=\"15\" xml:space=\"preserve\">\n"
           "<rect width=\"100%%\" height=\"100%%\" rx=\"8\" fill=\"#%06x\"/>\n",
           w, h, rgb(p, BG));
    for (int y = 0; y < p->rows; y++) {
        background(p, y);
        for (int x = 0; x < p->cols;)
            x = text_run(p, y, x);
    }
    puts("</svg>");
}

int main(int argc, char **argv) {
    struct picture p = {0};
    char *end;

    if (argc == 2) {
        p.cols = (int)strtol(argv[1], &end, 10);
        p.rows = *end == 'x' ? (int)strtol(end + 1, &end, 10) : 0;
    }
    if (argc != 2 || *end || p.cols < 1 || p.rows < 1 || p.cols > 500 || p.rows > 500) {
        fputs("usage: shot COLSxROWS <BYTES >PICTURE.svg\n", stderr);
        return 64;
    }
    if (!picture_open(&p))
        return 71;
    picture_read(&p, stdin);
    picture_write(&p);
    vterm_free(p.vt);
    return 0;
}
