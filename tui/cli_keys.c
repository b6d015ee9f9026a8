/* `cdvm tui --list-keys`: the tables of keys and commands as lines, of which cdvm(1) is made:
 *
 *   on TAB screens        heads what follows
 *   key TAB keys TAB what it does
 *   command TAB name and arguments TAB what it does */
#include "tui/cli_keys.h"

#include <stdio.h>

#include "tui/cmd.h"

static void print_places(unsigned on) {
    const char *sep = "";

    fputs("on\t", stdout);
    for (enum scr s = 0; s < SCR_COUNT; s++) {
        bool named = true;

        for (enum scr t = 0; t < s; t++) /* two screens of the same name are one to a reader */
            named &= !(on & 1u << t) || keys_screen_name(t) != keys_screen_name(s);
        if (!(on & 1u << s) || !named)
            continue;
        printf("%s%s", sep, keys_screen_name(s));
        sep = ", ";
    }
    fputs("\n", stdout);
}

static void print_key(const struct key_row *row) {
    char name[24];

    fputs("key\t", stdout);
    for (size_t k = 0; k < COUNT(row->key) && row->key[k]; k++) {
        if (row->key[k] == K_PASTED_ENTER)
            continue;
        keys_name(row->key[k], name);
        printf("%s%s", k ? " " : "", name);
    }
    printf("\t%s\n", row->help);
}

/* Rows of the same screens stand together, in the order of the table. */
void cli_keys_list(void) {
    const struct key_row *row;
    const struct cmd *c;
    size_t n;

    row = keys_table(&n);
    for (size_t i = 0; i < n; i++) {
        size_t first = 0;

        while (row[first].on != row[i].on)
            first++;
        if (first < i)
            continue;
        print_places(row[i].on);
        for (size_t k = i; k < n; k++)
            if (row[k].on == row[i].on)
                print_key(&row[k]);
    }
    c = cmd_table(&n);
    for (size_t i = 0; i < n; i++)
        printf("command\t/%s%s%s\t%s\n", c[i].name, *c[i].args ? " " : "", c[i].args, c[i].help);
}
