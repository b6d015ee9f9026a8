#include "tui/keys.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/text.h"

#define ON(s) (1u << (s))
#define TREES (ON(SCR_ATTEST) | ON(SCR_RECEIPT))
#define LISTS                                                                                      \
    (ON(SCR_OFFERS) | ON(SCR_JOBS) | TREES | ON(SCR_TABLE) | ON(SCR_FILES) | ON(SCR_RECEIPTS) |    \
     ON(SCR_SETTINGS))
#define PAGES (ON(SCR_OFFER) | ON(SCR_PROOF) | ON(SCR_SOURCE) | ON(SCR_CELL) | ON(SCR_END))
#define JOB (ON(SCR_JOBS) | ON(SCR_ATTEST) | ON(SCR_END))
#define VIEWS (LISTS | PAGES)
#define SCREENS (VIEWS | ON(SCR_CHAT))
#define FINDING (ON(SCR_FIND) | ON(SCR_FOUND))
#define TYPING (ON(SCR_CHAT) | ON(SCR_FILTER) | ON(SCR_FIND) | ON(SCR_WORD) | ON(SCR_PALETTE))
/* Where Enter does or writes something: one that came with a paste is not taken for it. */
#define NOT_PASTED (TYPING | ON(SCR_YESNO) | ON(SCR_HIDDEN) | ON(SCR_FIRST) | ON(SCR_SETTINGS))
#define ALL (ON(SCR_COUNT) - 1)

/* No destructive action on a letter that moves elsewhere; what destroys asks first. */
static const struct key_row TABLE[] = {
    /* offers */
    {ON(SCR_OFFERS), {K_ENTER}, ACT_OPEN, "open", "show the offer in full"},
    {ON(SCR_OFFERS), {'/'}, ACT_FILTER, "filter", "show only offers that hold some words"},
    {ON(SCR_OFFERS), {'n'}, ACT_NEXT_OFFER, NULL, "the next offer that the filter leaves"},
    {ON(SCR_OFFERS), {'N'}, ACT_PREV_OFFER, NULL, "the one before"},
    {ON(SCR_OFFERS), {K_ESC}, ACT_UNFILTER, NULL, "show every offer again"},
    {ON(SCR_OFFERS),
     {'s'},
     ACT_SORT,
     "sort",
     "sort by proof, price, model, provider, heartbeat or age"},
    {ON(SCR_OFFERS), {'S'}, ACT_SORT_BACK, NULL, "the order before"},
    {ON(SCR_OFFERS), {'f'}, ACT_FAVOURITE, "favourite", "make the seller a favourite, or no more"},
    {ON(SCR_OFFERS), {'M'}, ACT_SHOW_MUTED, NULL, "show what is muted, or hide it again"},
    {ON(SCR_OFFER), {K_ENTER}, ACT_OPEN, "start a guest", "ask for a guest; no data is sent yet"},
    {ON(SCR_OFFER), {'p'}, ACT_PARAM, "parameter", "set a parameter of the job, KEY=VALUE"},
    {ON(SCR_OFFER), {'r'}, ACT_RAW, "raw", "the seller's event as it came"},
    {ON(SCR_OFFER),
     {'D'},
     ACT_FORGET_SELLER,
     NULL,
     "forget what is remembered of this provider (asks first)"},
    /* jobs */
    {ON(SCR_JOBS), {K_ENTER}, ACT_OPEN, "open", "its chat; what waits to be decided; its goodbye"},
    {ON(SCR_JOBS), {'d', K_DELETE}, ACT_FORGET, "forget", "wipe a job that has ended (asks first)"},
    /* attestation */
    {TREES, {K_ENTER, ' '}, ACT_FOLD, "fold", "fold or unfold the line"},
    {ON(SCR_ATTEST), {'a'}, ACT_ACCEPT, "accept", "accept this guest (asks for a typed word)"},
    {TREES, {'e'}, ACT_EVIDENCE, "evidence", "the bytes behind the line, by name"},
    {TREES, {'n'}, ACT_NEXT_OPEN, "next problem", "go to the next line that is not PASS"},
    {TREES, {'N'}, ACT_PREV_OPEN, NULL, "go to the one before"},
    {TREES, {'c'}, ACT_CHANGES, "changes", "what changed since the last job there"},
    {ON(SCR_ATTEST),
     {'f'},
     ACT_UNACCEPT,
     "forget",
     "forget that this warning was accepted (on the first line: every one of this provider)"},
    {TREES, {'y'}, ACT_COPY, NULL, "copy the value of the line (OSC 52)"},
    {TREES, {K_LEFT, 'h'}, ACT_LEFT, NULL, "fold, or go to the line above"},
    {TREES, {K_RIGHT, 'l'}, ACT_RIGHT, NULL, "unfold, or go to the first line below"},
    /* receipts */
    {ON(SCR_RECEIPTS), {K_ENTER}, ACT_OPEN, "verify", "verify it anew, as of now and as of then"},
    {ON(SCR_RECEIPTS), {' '}, ACT_MARK, "mark", "mark it, to be compared with another"},
    {ON(SCR_RECEIPTS), {'d'}, ACT_DIFF, "diff", "what differs from the marked one"},
    {ON(SCR_RECEIPTS), {'x', K_DELETE}, ACT_DELETE, "delete", "delete the file (asks first)"},
    {ON(SCR_RECEIPTS), {'r'}, ACT_GO_RECEIPTS, NULL, "read the folder anew"},
    {ON(SCR_RECEIPT), {'t'}, ACT_TURN, "then/now", "as of its acceptance, or as of now"},
    /* chat */
    {ON(SCR_CHAT), {K_ENTER}, ACT_SEND, "send", "send the text, or run the /command"},
    {ON(SCR_CHAT),
     {K_ALT('s')},
     ACT_SOURCE,
     "sources",
     "show a passage of the answer in its document"},
    {ON(SCR_CHAT), {K_ALT(K_ENTER), K_PASTED_ENTER}, ACT_NEWLINE, "newline", "start a new line"},
    {ON(SCR_CHAT), {K_TAB}, ACT_COMPLETE, NULL, "complete a command or a path"},
    {ON(SCR_CHAT), {K_CTRL('F')}, ACT_FIND, "find", "find words in what was said"},
    {ON(SCR_CHAT), {K_ALT('t')}, ACT_TABLE, "table", "the newest table, to scroll and sort"},
    {ON(SCR_CHAT), {K_ALT('r')}, ACT_RESEND, NULL, "ask the newest question again"},
    {ON(SCR_CHAT), {K_ALT('e')}, ACT_EDIT_AGAIN, NULL, "the newest question as a draft"},
    {ON(SCR_CHAT), {K_ALT('c')}, ACT_COPY, NULL, "copy the newest answer (OSC 52)"},
    {ON(SCR_CHAT), {K_CTRL('X')}, ACT_PREFIX, NULL, "then Ctrl-E: the draft in your editor"},
    {ON(SCR_CHAT),
     {K_CTRL('C')},
     ACT_INTERRUPT,
     "stop",
     "stop the answer; else drop the draft; twice: leave"},
    {ON(SCR_FIND), {K_ENTER}, ACT_FIND_KEEP, "keep", "then n and N go from place to place"},
    {ON(SCR_FIND), {K_CTRL('F'), K_UP}, ACT_FIND_OLDER, "older", "the place before"},
    {ON(SCR_FIND), {K_DOWN}, ACT_FIND_NEWER, "newer", "the place after"},
    {ON(SCR_FOUND), {'n', K_UP, K_CTRL('F')}, ACT_FIND_OLDER, "older", "the place before"},
    {ON(SCR_FOUND), {'N', K_DOWN}, ACT_FIND_NEWER, "newer", "the place after"},
    {ON(SCR_FOUND), {'/'}, ACT_FIND, "other words", "change what is looked for"},
    {FINDING, {K_ESC}, ACT_FIND_END, "done", "end the search; the view stays"},
    {ON(SCR_FOUND), {'q', K_ENTER}, ACT_FIND_END, NULL, "end the search; the view stays"},
    {ON(SCR_SOURCE), {'n'}, ACT_NEXT_SOURCE, "next passage", "the next passage of the answer"},
    {ON(SCR_SOURCE), {'p'}, ACT_PREV_SOURCE, "previous", "the passage before"},
    /* first start */
    {ON(SCR_FIRST), {K_UP, 'k', K_WHEEL_UP}, ACT_UP, NULL, "up"},
    {ON(SCR_FIRST), {K_DOWN, 'j', K_WHEEL_DOWN}, ACT_DOWN, NULL, "down"},
    {ON(SCR_FIRST), {' '}, ACT_CHOOSE, "choose", "choose, or switch the relay on or off"},
    {ON(SCR_FIRST), {K_ENTER}, ACT_NEXT_STEP, "next", "take what is under the cursor, next step"},
    {ON(SCR_FIRST), {K_BACK_TAB}, ACT_PREV_STEP, "back", "the step before"},
    {ON(SCR_FIRST), {'t'}, ACT_TRY, NULL, "connect to the relay and time its answer"},
    {ON(SCR_FIRST), {'s'}, ACT_SIMULATOR, "simulator", "how the simulator is started"},
    {ON(SCR_FIRST), {K_ESC}, ACT_SKIP, "skip", "go on without answers; nothing is written"},
    /* settings */
    {ON(SCR_SETTINGS),
     {K_ENTER, ' '},
     ACT_CHANGE,
     "change",
     "the next value, on or off, or type one"},
    {ON(SCR_SETTINGS), {'e'}, ACT_TYPE, "type", "type a value, such as the name of a policy file"},
    {ON(SCR_SETTINGS), {'u'}, ACT_LOCK, NULL, "unlock or lock the identity"},
    {ON(SCR_SETTINGS), {'d'}, ACT_REMOVE, NULL, "remove the identity (asks for a typed word)"},
    {ON(SCR_SETTINGS), {'w'}, ACT_WRITE, "write", "write what was changed into cdvm.conf"},
    {ON(SCR_SETTINGS), {'t'}, ACT_TRY, "test relay", "connect to the relay and time its answer"},
    {ON(SCR_SETTINGS), {K_LEFT, 'h'}, ACT_LEFT, NULL, "to the left column"},
    {ON(SCR_SETTINGS), {K_RIGHT, 'l'}, ACT_RIGHT, NULL, "to the right column"},
    /* tables */
    {ON(SCR_TABLE), {K_ENTER}, ACT_CELL, "cell", "the cell under the cursor in full"},
    {ON(SCR_TABLE), {'s'}, ACT_TABLE_SORT, "sort", "sort by this column: up, down, as it came"},
    {ON(SCR_TABLE), {'w'}, ACT_TABLE_SAVE, "write", "save the whole table, if the guest sent it"},
    {ON(SCR_TABLE), {K_LEFT, 'h'}, ACT_LEFT, NULL, "a column left"},
    {ON(SCR_TABLE), {K_RIGHT, 'l'}, ACT_RIGHT, NULL, "a column right"},
    {ON(SCR_TABLE), {'n'}, ACT_NEXT_TABLE, NULL, "the next table"},
    {ON(SCR_TABLE), {'p'}, ACT_PREV_TABLE, NULL, "the table before"},
    /* files */
    {ON(SCR_FILES), {K_ENTER, 'w'}, ACT_FILE_GET, "save", "save the file (asks where)"},
    {ON(SCR_FILES), {'a'}, ACT_FILE_ATTACH, "attach", "send a file (asks first)"},
    {ON(SCR_OFFER) | ON(SCR_SOURCE) | ON(SCR_TABLE) | ON(SCR_CELL) | ON(SCR_FILES),
     {'c'},
     ACT_COPY,
     "copy",
     "copy the npub, passage, cell or sha256 (OSC 52)"},
    /* both */
    {JOB, {'s'}, ACT_SAVE, "save", "save the bundle for later verification"},
    {JOB, {'x'}, ACT_DESTROY, "destroy", "destroy the guest (asks first)"},
    {LISTS | PAGES | ON(SCR_HELP), {K_UP, 'k', K_WHEEL_UP}, ACT_UP, NULL, "up"},
    {LISTS | PAGES | ON(SCR_HELP), {K_DOWN, 'j', K_WHEEL_DOWN}, ACT_DOWN, NULL, "down"},
    {ON(SCR_CHAT) | FINDING, {K_WHEEL_UP}, ACT_UP, NULL, "a line up, with mouse = wheel"},
    {ON(SCR_CHAT) | FINDING, {K_WHEEL_DOWN}, ACT_DOWN, NULL, "a line down"},
    {VIEWS | ON(SCR_HELP) | ON(SCR_CHAT) | FINDING, {K_PAGE_UP}, ACT_PAGE_UP, NULL, "a page up"},
    {VIEWS | ON(SCR_HELP) | ON(SCR_CHAT) | FINDING,
     {K_PAGE_DOWN},
     ACT_PAGE_DOWN,
     NULL,
     "a page down"},
    {VIEWS | ON(SCR_HELP), {K_HOME, 'g'}, ACT_TOP, NULL, "to the first line"},
    {VIEWS | ON(SCR_HELP), {K_END, 'G'}, ACT_BOTTOM, NULL, "to the last line"},
    {ON(SCR_CHAT), {K_ALT('<')}, ACT_TOP, NULL, "to the first line said"},
    {ON(SCR_CHAT), {K_ALT('>')}, ACT_BOTTOM, NULL, "to the newest line, and follow"},
    {ON(SCR_CHAT), {K_ALT('u')}, ACT_UNREAD, NULL, "to the first new line"},
    /* several jobs */
    {VIEWS, {K_ALT('n'), ']'}, ACT_NEXT_JOB, NULL, "the next job"},
    {VIEWS, {K_ALT('p'), '['}, ACT_PREV_JOB, NULL, "the job before"},
    {VIEWS, {K_ALT('a')}, ACT_UNREAD_JOB, NULL, "the next job that has news"},
    {ON(SCR_CHAT), {K_ALT('n')}, ACT_NEXT_JOB, NULL, "the next job"},
    {ON(SCR_CHAT), {K_ALT('p')}, ACT_PREV_JOB, NULL, "the job before"},
    {ON(SCR_CHAT), {K_ALT('a')}, ACT_UNREAD_JOB, "news", "the next job that has news"},
    /* moving between screens */
    {VIEWS, {'1', K_ALT('1')}, ACT_GO_OFFERS, NULL, "offers"},
    {VIEWS, {'2', K_ALT('2'), K_F2}, ACT_GO_JOBS, NULL, "jobs, and the way of each"},
    {VIEWS, {'3', K_ALT('3'), K_F3}, ACT_GO_ATTEST, NULL, "what was verified"},
    {VIEWS, {'4', K_ALT('4'), K_F4, K_TAB}, ACT_GO_CHAT, NULL, "chat"},
    {VIEWS, {'5', K_ALT('5'), K_F5}, ACT_GO_FILES, NULL, "files, both ways"},
    {VIEWS, {'6', K_ALT('6'), K_F6}, ACT_GO_SETTINGS, NULL, "keys and settings"},
    {VIEWS, {'7', K_ALT('7')}, ACT_GO_RECEIPTS, NULL, "saved receipts"},
    {ON(SCR_CHAT), {K_ALT('1')}, ACT_GO_OFFERS, NULL, "offers"},
    {ON(SCR_CHAT), {K_F2, K_ALT('2')}, ACT_GO_JOBS, NULL, "jobs, and the way of each"},
    {ON(SCR_CHAT), {K_F3, K_ALT('3')}, ACT_GO_ATTEST, "attestation", "what was verified"},
    {ON(SCR_CHAT), {K_F4, K_ALT('4')}, ACT_GO_CHAT, NULL, "chat"},
    {ON(SCR_CHAT), {K_F5, K_ALT('5')}, ACT_GO_FILES, NULL, "files, both ways"},
    {ON(SCR_CHAT), {K_F6, K_ALT('6')}, ACT_GO_SETTINGS, NULL, "keys and settings"},
    {ON(SCR_CHAT), {K_ALT('7')}, ACT_GO_RECEIPTS, NULL, "saved receipts"},
    {SCREENS & ~ON(SCR_OFFERS), {K_ESC}, ACT_BACK, "back", "back to where you came from"},
    {VIEWS & ~ON(SCR_OFFERS), {'q'}, ACT_BACK, NULL, "back to where you came from"},
    /* filter, questions, help */
    {ON(SCR_FILTER), {K_ENTER}, ACT_YES, "keep", "keep the filter"},
    {ON(SCR_FILTER), {K_ESC}, ACT_NO, "clear", "show everything again"},
    {ON(SCR_WORD), {K_ENTER}, ACT_YES, "confirm", "confirm, if the word is right"},
    {ON(SCR_WORD), {K_ESC}, ACT_NO, "cancel", "do nothing"},
    {ON(SCR_HIDDEN), {K_ENTER}, ACT_YES, "done", "take what was typed; it is never shown"},
    {ON(SCR_HIDDEN), {K_ESC}, ACT_NO, "cancel", "do nothing"},
    {ON(SCR_HIDDEN), {K_BACKSPACE}, ACT_EDIT_BACKSPACE, NULL, "delete to the left"},
    {ON(SCR_HIDDEN), {K_CTRL('U')}, ACT_EDIT_KILL_START, "clear", "begin anew"},
    {ON(SCR_WAIT), {K_ESC}, ACT_NO, "stop waiting", "stop waiting; nothing is sent"},
    {ON(SCR_YESNO), {'y', 'Y'}, ACT_YES, "yes", "yes"},
    {ON(SCR_YESNO), {'n', 'N', K_ESC, K_ENTER}, ACT_NO, "no", "no: the default"},
    {ON(SCR_PALETTE), {K_ENTER}, ACT_YES, "run", "do what is under the cursor"},
    {ON(SCR_PALETTE), {K_TAB}, ACT_COMPLETE, "complete", "complete the command or its path"},
    {ON(SCR_PALETTE), {K_ESC}, ACT_NO, "close", "do nothing"},
    {ON(SCR_PALETTE), {K_UP, K_CTRL('P'), K_WHEEL_UP}, ACT_UP, NULL, "up"},
    {ON(SCR_PALETTE), {K_DOWN, K_CTRL('N'), K_WHEEL_DOWN}, ACT_DOWN, NULL, "down"},
    {ON(SCR_PALETTE), {K_PAGE_UP}, ACT_PAGE_UP, NULL, "a page up"},
    {ON(SCR_PALETTE), {K_PAGE_DOWN}, ACT_PAGE_DOWN, NULL, "a page down"},
    {ON(SCR_HELP), {K_ESC, 'q', '?', K_F1}, ACT_BACK, "close", "close this help"},
    /* editing */
    {TYPING, {K_LEFT, K_CTRL('B')}, ACT_EDIT_LEFT, NULL, "left"},
    {ON(SCR_CHAT), {K_RIGHT}, ACT_EDIT_RIGHT, NULL, "right"},
    {ON(SCR_FIND), {K_RIGHT}, ACT_EDIT_RIGHT, NULL, "right"},
    {TYPING & ~(ON(SCR_CHAT) | ON(SCR_FIND)),
     {K_RIGHT, K_CTRL('F')},
     ACT_EDIT_RIGHT,
     NULL,
     "right"},
    {TYPING, {K_ALT('b')}, ACT_EDIT_WORD_LEFT, NULL, "a word left"},
    {TYPING, {K_ALT('f')}, ACT_EDIT_WORD_RIGHT, NULL, "a word right"},
    {TYPING, {K_HOME, K_CTRL('A')}, ACT_EDIT_HOME, NULL, "to the start of the line"},
    {TYPING, {K_END, K_CTRL('E')}, ACT_EDIT_END, NULL, "to the end of the line"},
    {TYPING, {K_BACKSPACE}, ACT_EDIT_BACKSPACE, NULL, "delete to the left"},
    {TYPING, {K_DELETE, K_CTRL('D')}, ACT_EDIT_DELETE, NULL, "delete to the right"},
    {TYPING, {K_CTRL('K')}, ACT_EDIT_KILL_END, NULL, "cut to the end of the line"},
    {TYPING, {K_CTRL('U')}, ACT_EDIT_KILL_START, NULL, "cut to the start of the line"},
    {TYPING, {K_CTRL('W')}, ACT_EDIT_KILL_WORD, NULL, "cut the word before"},
    {TYPING, {K_CTRL('Y')}, ACT_EDIT_YANK, NULL, "put back what was cut"},
    {ON(SCR_CHAT), {K_UP, K_CTRL('P')}, ACT_EDIT_UP, NULL, "line above, or earlier text"},
    {ON(SCR_CHAT), {K_DOWN, K_CTRL('N')}, ACT_EDIT_DOWN, NULL, "line below, or later text"},
    /* everywhere */
    {VIEWS, {':', K_ALT('x')}, ACT_PALETTE, "everything", "a list of all that can be done"},
    {ON(SCR_CHAT), {K_ALT('x')}, ACT_PALETTE, NULL, "a list of all that can be done"},
    {VIEWS | ON(SCR_FIRST), {'?', K_F1}, ACT_HELP, "help", "this help"},
    {ON(SCR_CHAT), {K_F1}, ACT_HELP, "help", "this help"},
    {ON(SCR_OFFERS) | ON(SCR_FIRST), {'q'}, ACT_QUIT, "quit", "leave (asks when a guest is alive)"},
    {ALL & ~ON(SCR_CHAT), {K_CTRL('C')}, ACT_INTERRUPT, NULL, "twice: leave at once"},
    {ALL, {K_CTRL('L')}, ACT_REDRAW, NULL, "draw everything again"},
    {ALL, {K_CTRL('Z')}, ACT_SUSPEND, NULL, "back to the shell for a while"},
    {ALL,
     {K_CTRL('Q')},
     ACT_PANIC,
     NULL,
     "twice: destroy the guest, wipe everything, clear the screen, leave"},
    /* in the footer where there is room */
    {ON(SCR_OFFER), {'f'}, ACT_FAVOURITE, "favourite", "make the seller a favourite, or no more"},
    {ON(SCR_OFFERS) | ON(SCR_OFFER),
     {'m'},
     ACT_MUTE,
     "mute",
     "hide all offers of the seller, or no longer"},
};

#define BINDS_MAX 64

/* The table with the person's own keys in it. A binding adds three rows at most. */
static struct key_row table[COUNT(TABLE) + 3 * BINDS_MAX];
static size_t n_rows, n_binds;

void keys_unbind(void) {
    memcpy(table, TABLE, sizeof TABLE);
    n_rows = COUNT(TABLE);
    n_binds = 0;
}

const struct key_row *keys_table(size_t *n) {
    if (n_rows == 0)
        keys_unbind();
    *n = n_rows;
    return table;
}

bool keys_on(const struct key_row *row, enum scr s) {
    return row->on & ON(s);
}

bool keys_types(enum scr s) {
    return TYPING & ON(s);
}

/* Its row in the table; n_rows when the screen does not bind it. */
static size_t row_of(enum scr s, uint32_t key) {
    size_t n;

    (void)keys_table(&n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; keys_on(&table[i], s) && k < 4 && table[i].key[k]; k++)
            if (table[i].key[k] == key)
                return i;
    return n;
}

enum action keys_find(enum scr s, uint32_t key) {
    size_t row;

    if (key == K_PASTED_ENTER && !(NOT_PASTED & ON(s)))
        key = K_ENTER; /* nothing can be sent from there */
    row = row_of(s, key);
    return row < n_rows ? table[row].action : ACT_NONE;
}

const char *keys_screen_name(enum scr s) {
    static const char *const NAME[SCR_COUNT] = {
        [SCR_OFFERS] = "Offers",
        [SCR_OFFER] = "Offer",
        [SCR_JOBS] = "Jobs",
        [SCR_ATTEST] = "Attestation",
        [SCR_CHAT] = "Chat",
        [SCR_END] = "End",
        [SCR_SETTINGS] = "Keys and settings",
        [SCR_SOURCE] = "Passage",
        [SCR_TABLE] = "Table",
        [SCR_CELL] = "Cell",
        [SCR_FILES] = "Files",
        [SCR_FIND] = "Search",
        [SCR_FOUND] = "Search",
        [SCR_FILTER] = "Filter",
        [SCR_YESNO] = "Question",
        [SCR_WORD] = "Question",
        [SCR_HIDDEN] = "Hidden",
        [SCR_WAIT] = "Waiting",
        [SCR_PROOF] = "Evidence",
        [SCR_RECEIPTS] = "Receipts",
        [SCR_RECEIPT] = "Receipt",
        [SCR_PALETTE] = "Everything",
        [SCR_FIRST] = "First start",
        [SCR_HELP] = "Help",
    };

    return NAME[s];
}

static const struct {
    uint32_t key;
    const char *name;
} NAMES[] = {
    {K_UP, "Up"},
    {K_DOWN, "Down"},
    {K_LEFT, "Left"},
    {K_RIGHT, "Right"},
    {K_HOME, "Home"},
    {K_END, "End"},
    {K_PAGE_UP, "PgUp"},
    {K_PAGE_DOWN, "PgDn"},
    {K_DELETE, "Del"},
    {K_BACK_TAB, "Shift-Tab"},
    {K_F1, "F1"},
    {K_F2, "F2"},
    {K_F3, "F3"},
    {K_F4, "F4"},
    {K_F5, "F5"},
    {K_F6, "F6"},
    {K_WHEEL_UP, "WheelUp"},
    {K_WHEEL_DOWN, "WheelDown"},
    {K_ENTER, "Enter"},
    {K_TAB, "Tab"},
    {K_ESC, "Esc"},
    {K_BACKSPACE, "Backspace"},
    {' ', "Space"},
};

static void name_plain(uint32_t key, char out[static 24]) {
    for (size_t i = 0; i < COUNT(NAMES); i++)
        if (NAMES[i].key == key) {
            snprintf(out, 24, "%s", NAMES[i].name);
            return;
        }
    if (key < 0x20) {
        snprintf(out, 24, "Ctrl-%c", (char)(key + 0x40));
        return;
    }
    out[utf8_put(key, out)] = 0;
}

void keys_name(uint32_t key, char out[static 24]) {
    char plain[24];

    memset(out, 0, 24);
    if (!(key & K_ALT(0))) {
        name_plain(key, out);
        return;
    }
    name_plain(key & ~K_ALT(0), plain);
    snprintf(out, 24, "Alt-%.18s", plain);
}

/* --- keys of the person's own --- */

/* A row for this screen alone, behind the one that it had with others. */
static size_t row_part(size_t i, enum scr s) {
    if (table[i].on == ON(s))
        return i;
    memmove(&table[i + 1], &table[i], (n_rows - i) * sizeof *table);
    n_rows++;
    table[i].on &= ~ON(s);
    table[i + 1].on = ON(s);
    return i + 1;
}

static void row_drop_key(struct key_row *row, uint32_t key) {
    size_t kept = 0;

    for (size_t k = 0; k < 4; k++)
        if (row->key[k] && row->key[k] != key)
            row->key[kept++] = row->key[k];
    while (kept < 4)
        row->key[kept++] = 0;
    if (!row->key[0])
        row->on = 0;
}

static void row_add_key(struct key_row *row, uint32_t key) {
    memmove(&row->key[1], &row->key[0], 3 * sizeof row->key[0]);
    row->key[0] = key;
}

/* 0: no key is called like that. */
static uint32_t key_named(struct view name) {
    uint32_t alt = 0, cp = 0;

    if (name.n > 4 && !memcmp(name.p, "Alt-", 4)) {
        alt = K_ALT(0);
        name = view_of(name.p + 4, name.n - 4);
    }
    for (size_t i = 0; i < COUNT(NAMES); i++)
        if (view_is(name, NAMES[i].name))
            return NAMES[i].key | alt;
    if (name.n == 6 && !memcmp(name.p, "Ctrl-", 5) && name.p[5] >= 'A' && name.p[5] <= 'Z')
        return K_CTRL(name.p[5]) | alt;
    return name.n > 0 && utf8_next(name, &cp) == name.n && cp > ' ' ? cp | alt : 0;
}

/* By the first word of its name; SCR_COUNT: there is none that takes keys of one's own. */
static enum scr screen_named(struct view name) {
    for (enum scr s = 0; s < SCR_COUNT; s++) {
        const char *title = keys_screen_name(s);
        size_t n = strcspn(title, " ");

        if ((SCREENS & ON(s)) && name.n == n && !strncasecmp((const char *)name.p, title, n))
            return s;
    }
    return SCR_COUNT;
}

static struct view word_of(const char **line) {
    const char *p = *line + strspn(*line, " ");
    size_t n = strcspn(p, " ");

    *line = p + n;
    return view_of(p, n);
}

static int may_bind(enum scr s, uint32_t key, struct err *e) {
    if (key == K_CTRL('C') || key == K_CTRL('Q'))
        return err_set(e, "bad-config", "Ctrl-C and Ctrl-Q stay what they are");
    if (keys_types(s) && key >= ' ' && key < K_UP)
        return err_set(e, "bad-config", "on this screen letters are text: take a key with Alt");
    return 0;
}

struct binding {
    enum scr s;
    uint32_t key;
    enum action action; /* of the other key, in the table as it was built */
};

static enum action built_in(enum scr s, uint32_t key) {
    for (size_t i = 0; i < COUNT(TABLE); i++)
        for (size_t k = 0; keys_on(&TABLE[i], s) && k < 4 && TABLE[i].key[k]; k++)
            if (TABLE[i].key[k] == key)
                return TABLE[i].action;
    return ACT_NONE;
}

static int binding_parse(const char *line, struct binding *b, struct err *e) {
    struct view screen = word_of(&line), fresh = word_of(&line), old = word_of(&line);
    uint32_t same = key_named(old);

    *b = (struct binding){.s = screen_named(screen), .key = key_named(fresh)};
    if (b->s == SCR_COUNT || !b->key || !same || word_of(&line).n > 0)
        return err_set(
            e, "bad-config",
            "a binding reads 'SCREEN KEY OTHER-KEY', such as 'offers Z s'; the names are "
            "in cdvm(1), KEYS");
    b->action = built_in(b->s, same);
    if (b->action == ACT_NONE)
        return err_set(e, "bad-config", "%.*s does nothing on that screen", (int)old.n,
                       (const char *)old.p);
    return may_bind(b->s, b->key, e);
}

int keys_bind_ok(const char *line, struct err *e) {
    struct binding b;

    return binding_parse(line, &b, e);
}

static size_t row_that(enum scr s, enum action act) {
    size_t i = 0;

    while (i < n_rows && !(keys_on(&table[i], s) && table[i].action == act))
        i++;
    return i;
}

/* Of an action whose only keys were bound to something else. */
static struct key_row lost_row(const struct binding *b) {
    struct key_row r = {.on = ON(b->s), .action = b->action};

    for (size_t i = 0; i < COUNT(TABLE) && !r.help; i++)
        if (keys_on(&TABLE[i], b->s) && TABLE[i].action == b->action) {
            r.hint = TABLE[i].hint;
            r.help = TABLE[i].help;
        }
    return r;
}

int keys_bind(const char *line, struct err *e) {
    struct binding b;
    size_t row;

    if (binding_parse(line, &b, e) != 0)
        return -1;
    if (n_binds == BINDS_MAX)
        return err_set(e, "bad-config", "more than %d bindings", BINDS_MAX);
    if (keys_find(b.s, b.key) == b.action)
        return 0;
    n_binds++;
    if ((row = row_of(b.s, b.key)) < n_rows)
        row_drop_key(&table[row_part(row, b.s)], b.key);
    row = row_that(b.s, b.action);
    if (row == n_rows)
        table[n_rows++] = lost_row(&b);
    row_add_key(&table[row_part(row, b.s)], b.key);
    return 0;
}
