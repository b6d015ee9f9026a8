/* URLs of relays and blob servers (declared in ws.h). */
#include "ws.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    uint16_t port;
    bool tls;
} schemes[] = {{"ws", 80, false}, {"wss", 443, true}, {"http", 80, false}, {"https", 443, true}};

static int bad(struct err *e, const char *s, const char *why) {
    char shown[97];
    size_t n = 0;

    for (; *s && n < sizeof shown - 1; s++)
        shown[n++] = *s > 0x20 && *s < 0x7f ? *s : '?';
    shown[n] = 0;
    return err_set(e, "bad-url", "'%s' is not a usable address: %s", shown, why);
}

static size_t scheme_find(const char *s, size_t n) {
    size_t i;

    for (i = 0; i < COUNT(schemes); i++)
        if (strlen(schemes[i].name) == n && strncasecmp(schemes[i].name, s, n) == 0)
            break;
    return i;
}

static bool port_parse(const char *s, size_t n, uint16_t *out) {
    unsigned v = 0;

    if (n == 0 || n > 5)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        v = v * 10 + (unsigned)(s[i] - '0');
    }
    *out = (uint16_t)v;
    return v > 0 && v <= 65535;
}

static bool host_ok(const char *h, size_t n, bool v6) {
    if (n == 0 || n > 253)
        return false;
    for (size_t i = 0; i < n; i++)
        if (v6 ? !isxdigit((unsigned char)h[i]) && h[i] != ':' && h[i] != '.'
               : !isalnum((unsigned char)h[i]) && !strchr("-._", h[i]))
            return false;
    return true;
}

/* authority = host[:port] or [v6][:port] */
static bool authority_parse(const char *a, size_t n, struct url *out) {
    bool v6 = n && a[0] == '[';
    const char *end = a + n;
    const char *stop = v6 ? memchr(a, ']', n) : memchr(a, ':', n);
    const char *host = v6 ? a + 1 : a;
    size_t host_n;

    if (v6 && !stop)
        return false;
    host_n = (size_t)((stop ? stop : end) - host);
    if (!host_ok(host, host_n, v6))
        return false;
    for (size_t i = 0; i < host_n; i++)
        out->host[i] = (char)tolower((unsigned char)host[i]);
    out->host[host_n] = 0;
    if (v6)
        stop = stop + 1 < end ? stop + 1 : NULL;
    if (!stop)
        return true;
    return *stop == ':' && port_parse(stop + 1, (size_t)(end - stop - 1), &out->port);
}

static bool printable(const char *s) {
    for (; *s; s++)
        if (*s <= 0x20 || *s >= 0x7f)
            return false;
    return true;
}

int url_parse(const char *s, struct url *out, struct err *e) {
    const char *colon = strstr(s, "://");
    const char *auth = colon ? colon + 3 : NULL;
    size_t i, n;

    memset(out, 0, sizeof *out);
    if (!printable(s))
        return bad(e, s, "it has blanks or bytes that are not ASCII");
    if (!colon || (i = scheme_find(s, (size_t)(colon - s))) == COUNT(schemes))
        return bad(e, s, "it must begin with ws://, wss://, http:// or https://");
    if (strchr(s, '#'))
        return bad(e, s, "it has a fragment");
    n = strcspn(auth, "/?");
    if (memchr(auth, '@', n))
        return bad(e, s, "it carries a user name");
    snprintf(out->scheme, sizeof out->scheme, "%s", schemes[i].name);
    out->port = schemes[i].port;
    out->tls = schemes[i].tls;
    if (!authority_parse(auth, n, out))
        return bad(e, s, "the host or port is malformed");
    if (strlen(auth + n) + 1 >= sizeof out->path)
        return bad(e, s, "the path is too long");
    snprintf(out->path, sizeof out->path, "%s%s", auth[n] == '/' ? "" : "/", auth + n);
    return 0;
}

static bool default_port(const struct url *u) {
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (strcmp(schemes[i].name, u->scheme) == 0)
            return schemes[i].port == u->port;
    return false;
}

char *relay_url_normal(const char *s) {
    bool v6;
    struct url u;
    char port[8] = "";

    if (url_parse(s, &u, NULL) < 0 || u.scheme[0] != 'w')
        return NULL;
    v6 = strchr(u.host, ':') != NULL;
    if (!default_port(&u))
        snprintf(port, sizeof port, ":%u", u.port);
    return mem_fmt("%s://%s%s%s%s%s", u.scheme, v6 ? "[" : "", u.host, v6 ? "]" : "", port,
                   strcmp(u.path, "/") == 0 ? "" : u.path);
}
