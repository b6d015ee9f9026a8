#include "doorman.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/dvm.h"
#include "core/enc.h"
#include "core/listen.h"
#include "core/text.h"

#define TOKEN_PREFIX "cdvm-"

static int split(const char *word, struct door *d, struct err *e) {
    const char *colon = strrchr(word, ':');
    bool v6 = word[0] == '[' && colon > word + 1 && colon[-1] == ']';
    size_t n = colon ? (size_t)(colon - word) : 0;
    uint64_t port;

    if (!n || (!v6 && memchr(word, ':', n)) || !decimal_parse(colon + 1, &port) ||
        port > UINT16_MAX || n - 2 * (size_t)v6 >= sizeof d->host)
        return err_set(e, "bad-address", "'%s' is not ADDRESS:PORT, as 127.0.0.1:8080", word);
    memcpy(d->host, word + v6, n - 2 * (size_t)v6);
    d->port = (uint16_t)port;
    return 0;
}

static struct secret *fresh_token(void) {
    cleanup_secret struct secret *raw = secret_random(32);
    struct secret *token;
    struct buf text = {0};

    buf_str(&text, TOKEN_PREFIX);
    base64url_encode(view_of(secret_get(raw), 32), &text);
    token = secret_from(text.p, text.n);
    buf_wipe(&text);
    return token;
}

int door_open(const char *word, struct door *out, struct err *e) {
    *out = (struct door){0};
    if (split(word, out, e))
        return -1;
    if (!address_loopback(out->host))
        return err_set(e, "not-loopback",
                       "'%s' can be reached from other computers: only 127.0.0.1:PORT and "
                       "[::1]:PORT are served",
                       word);
    out->token = fresh_token();
    return 0;
}

void door_close(struct door *d) {
    secret_free(d->token);
    *d = (struct door){0};
}

void door_address(const struct door *d, struct buf *out) {
    bool v6 = strchr(d->host, ':') != NULL;

    buf_fmt(out, "%s%s%s:%u", v6 ? "[" : "", d->host, v6 ? "]" : "", d->port);
}

/* The name that the client believes it speaks to. */
static bool host_ok(const struct door *d, const char *host) {
    cleanup_buf struct buf own = {0}, local = {0};

    if (!host)
        return false;
    door_address(d, &own);
    buf_fmt(&local, "localhost:%u", d->port);
    return strcasecmp(host, (const char *)own.p) == 0 ||
           strcasecmp(host, (const char *)local.p) == 0;
}

static bool token_ok(const struct door *d, const char *authorization) {
    const char *given = authorization;

    if (!given || strncasecmp(given, "Bearer ", 7) != 0)
        return false;
    given += 7;
    return strlen(given) == secret_len(d->token) &&
           secret_eq(given, secret_get(d->token), secret_len(d->token));
}

unsigned door_check(const struct door *d, const struct knock *k, struct err *e) {
    if (!host_ok(d, k->host)) {
        err_set(e, "bad-host", "this server is 127.0.0.1 or localhost with its port, nothing else");
        return 403;
    }
    if (k->origin) {
        err_set(e, "bad-origin", "requests of web pages are not answered");
        return 403;
    }
    if (!k->authorization) {
        err_set(e, "no-token",
                "give the token that `cdvm ask --serve` showed: Authorization: "
                "Bearer TOKEN (most programs call it the API key)");
        return 401;
    }
    if (!token_ok(d, k->authorization)) {
        err_set(e, "bad-token", "this is not the token that `cdvm ask --serve` showed");
        return 401;
    }
    return 0;
}
