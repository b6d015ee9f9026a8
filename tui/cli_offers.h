/* Inside cdvm offers: cli_offers.c looks, cli_offers_print.c writes. */
#ifndef CDVM_CLI_OFFERS_H
#define CDVM_CLI_OFFERS_H

#include "tui/app.h"
#include "tui/browse.h"
#include "tui/settings.h"
#include "tui/trust.h"

enum change { CHANGE_NONE, CHANGE_FAVOURITE, CHANGE_MUTE, CHANGE_UNMARK, CHANGE_FORGET };

struct offers {
    struct settings set;
    struct conf_list relay; /* of the command line */
    struct policy policy;
    struct trust trust;
    const char *policy_word, *show, *key;
    enum change change;
    unsigned changes;
    enum shelf_sort sort;
    struct buf words; /* the filter */
    bool json, muted, help;
    int code;
    struct app *app;
    struct loop *loop;
    struct ws_net *net;
    struct browse *browse;
    struct loop_timer *settle;
};

void offers_list(const struct offers *x);
int offers_show(struct offers *x, struct err *e) WARN_UNUSED;

#endif
