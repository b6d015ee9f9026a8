#include "core/ws.c"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include "core/enc.h"

/* ---- a wss server for one client, in a thread of its own, with a certificate for "localhost" ----
 */

struct server {
    int listener;
    uint16_t port;
    EVP_PKEY *key;
    X509 *cert;
    char ca[64]; /* file that trusts it */
    pthread_t thread;
    bool shaken; /* the client finished TLS */
};

static void make_cert(struct server *s) {
    X509_NAME *name;
    X509_EXTENSION *san;
    FILE *f;
    int fd;

    s->key = EVP_EC_gen("P-256");
    s->cert = X509_new();
    X509_set_version(s->cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(s->cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(s->cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(s->cert), 3600);
    X509_set_pubkey(s->cert, s->key);
    name = X509_get_subject_name(s->cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"localhost", -1, -1, 0);
    X509_set_issuer_name(s->cert, name);
    san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(s->cert, san, -1);
    X509_EXTENSION_free(san);
    assert_true(X509_sign(s->cert, s->key, EVP_sha256()) > 0);
    snprintf(s->ca, sizeof s->ca, "/tmp/cdvm-test-ca-XXXXXX");
    assert_true((fd = mkstemp(s->ca)) >= 0);
    f = fdopen(fd, "w");
    PEM_write_X509(f, s->cert);
    fclose(f);
}

static void answer_upgrade(SSL *ssl) {
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char in[4096];
    int n = SSL_read(ssl, in, sizeof in - 1);
    cleanup_buf struct buf accept = {0};
    cleanup_free char *joined = NULL, *text = NULL;
    uint8_t digest[20];
    const char *key;

    if (n <= 0)
        return;
    in[n] = 0;
    if (!(key = strcasestr(in, "sec-websocket-key: ")))
        return;
    key += strlen("sec-websocket-key: ");
    joined = mem_fmt("%.*s%s", (int)strcspn(key, "\r"), key, guid);
    EVP_Digest(joined, strlen(joined), digest, NULL, EVP_sha1(), NULL);
    base64_encode(view_of(digest, sizeof digest), &accept);
    text = mem_fmt("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n\x81\x02hi",
                   (char *)accept.p);
    SSL_write(ssl, text, (int)strlen(text));
    SSL_read(ssl, in, sizeof in); /* until the client goes */
}

static void *serve(void *arg) {
    struct server *s = arg;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    int fd = accept(s->listener, NULL, NULL);
    SSL *ssl = SSL_new(ctx);

    SSL_use_certificate(ssl, s->cert);
    SSL_use_PrivateKey(ssl, s->key);
    SSL_set_fd(ssl, fd);
    s->shaken = SSL_accept(ssl) == 1;
    if (s->shaken)
        answer_upgrade(ssl);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
    return NULL;
}

static void server_up(struct server *s) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;

    *s = (struct server){0};
    signal(SIGPIPE, SIG_IGN);
    make_cert(s);
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(s->listener, 1), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&a, &n), 0);
    s->port = ntohs(a.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_down(struct server *s) {
    pthread_join(s->thread, NULL);
    close(s->listener);
    unlink(s->ca);
    X509_free(s->cert);
    EVP_PKEY_free(s->key);
}

/* ---- the client's side ---- */

struct seen {
    bool up, done;
    char text[64];
    struct err why;
};

static void on_open(void *arg) {
    ((struct seen *)arg)->up = true;
}

static void on_message(void *arg, struct view msg) {
    struct seen *s = arg;

    snprintf(s->text, sizeof s->text, "%.*s", (int)msg.n, (const char *)msg.p);
    s->done = true;
}

static void on_end(void *arg, const struct err *why) {
    struct seen *s = arg;

    s->why = *why;
    s->done = true;
}

/* Connects to wss://HOST:port, trusting the certificates of `ca` (NULL: the system's). */
static struct seen connect_as(const struct server *s, const char *host, const char *ca) {
    static const struct ws_handler h = {on_open, on_message, on_end};
    cleanup_free char *url = mem_fmt("wss://%s:%u/", host, s->port);
    struct seen seen = {0};
    struct loop *l;
    struct ws_net *n;
    struct ws *w;
    struct err e;

    if (ca)
        setenv("SSL_CERT_FILE", ca, 1);
    else
        unsetenv("SSL_CERT_FILE");
    l = loop_new(&e);
    n = ws_net_new(l, &e);
    assert_non_null(n);
    w = ws_connect(n, url, 1000, false, &h, &seen, &e);
    assert_non_null(w);
    for (int i = 0; i < 100 && !seen.done; i++)
        loop_turn(l, 100);
    if (!seen.why.code[0])
        ws_close(w);
    ws_net_free(n);
    loop_free(l);
    return seen;
}

/* Newer versions of libwebsockets tell of the connection's end instead, when the server is the
 * first to hang up. */
static void assert_refused(const struct seen *seen) {
    assert_false(seen->up);
    assert_true(!strcmp(seen->why.code, "tls") || !strcmp(seen->why.code, "connect"));
}

static void a_trusted_certificate_with_the_right_name(void **state) {
    struct server s;
    struct seen seen;

    (void)state;
    server_up(&s);
    seen = connect_as(&s, "localhost", s.ca);
    server_down(&s);
    assert_true(seen.up);
    assert_string_equal(seen.text, "hi");
    assert_true(s.shaken);
}

static void an_unknown_authority_is_refused(void **state) {
    struct server s;
    struct seen seen;

    (void)state;
    server_up(&s);
    seen = connect_as(&s, "localhost", NULL);
    server_down(&s);
    assert_refused(&seen);
}

/* The address is resolved beforehand, so the name must still be the one that is checked. */
static void a_certificate_for_another_name_is_refused(void **state) {
    struct server s;
    struct seen seen;

    (void)state;
    server_up(&s);
    seen = connect_as(&s, "127.0.0.1", s.ca);
    server_down(&s);
    assert_refused(&seen);
}

static void bad_addresses_are_refused_at_once(void **state) {
    static const char *const bad[] = {"http://x/", "nonsense", "ws://", "ws://h:0/"};
    struct loop *l = loop_new(NULL);
    struct ws_net *n = ws_net_new(l, NULL);
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_null(ws_connect(n, bad[i], 100, false, &(struct ws_handler){0}, NULL, &e));
        assert_string_equal(e.code, "bad-url");
    }
    ws_net_free(n);
    loop_free(l);
}

static void closing_before_the_name_is_known(void **state) {
    struct loop *l = loop_new(NULL);
    struct ws_net *n = ws_net_new(l, NULL);
    struct seen seen = {0};

    (void)state;
    ws_close(ws_connect(n, "ws://localhost:1/", 100, false,
                        &(struct ws_handler){on_open, on_message, on_end}, &seen, NULL));
    for (int i = 0; i < 5; i++)
        loop_turn(l, 20);
    assert_false(seen.done);
    assert_null(n->list);
    ws_net_free(n);
    loop_free(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trusted_certificate_with_the_right_name),
        cmocka_unit_test(an_unknown_authority_is_refused),
        cmocka_unit_test(a_certificate_for_another_name_is_refused),
        cmocka_unit_test(bad_addresses_are_refused_at_once),
        cmocka_unit_test(closing_before_the_name_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
