"""Raw HTTP against `cdvm ask --serve`: what it must refuse, and what it must survive.

usage: serve.py waiting|ready HOST:PORT TOKENFILE     prints "ok NAME" or "not ok NAME" lines
waiting: the guest is not there yet. ready: it takes SQL questions about sales.csv."""
import json
import socket
import sys
import threading
import time

mode, address, token_file = sys.argv[1:]
host, port = address.rsplit(":", 1)
token = open(token_file).read().strip()
AUTH = f"Authorization: Bearer {token}"
CHAT = "/v1/chat/completions"


def check(name, good, got=""):
    print(f"ok {name}" if good else f"not ok {name}\n# got: {got!r}"[:600], flush=True)


def connect(timeout=40):
    return socket.create_connection((host, int(port)), timeout)


def request(method="GET", path="/v1/models", headers=(AUTH,), body=None, name=address):
    lines = [f"{method} {path} HTTP/1.1"] + ([f"Host: {name}"] if name else []) + list(headers)
    if body is not None and not any(h.lower().startswith("content-length") for h in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines + ["", ""]).encode() + (body or b"")


class Reply:
    """One HTTP response off a socket's file; status 0 when the connection ended first."""

    def __init__(self, f):
        self.status, self.headers, self.body = 0, {}, b""
        try:
            line = f.readline().split()
            self.status = int(line[1]) if len(line) > 1 else 0
            while (line := f.readline().strip()):
                key, value = line.decode().split(":", 1)
                self.headers[key.lower()] = value.strip()
            if self.headers.get("transfer-encoding") == "chunked":
                while (n := int(f.readline(), 16)):
                    self.body += f.read(n)
                    f.readline()
                f.readline()
            else:
                self.body = f.read(int(self.headers.get("content-length", 0)))
        except (ConnectionError, ValueError, TimeoutError):
            pass

    @property
    def error(self):
        return json.loads(self.body)["error"]

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:300]}"


def ask(raw):
    with connect() as s:
        s.sendall(raw)
        return Reply(s.makefile("rb"))


def chat(content, headers=(), **fields):
    messages = content if isinstance(content, list) else [{"role": "user", "content": content}]
    body = json.dumps({"model": "table", "messages": messages, **fields}).encode()
    return request("POST", CHAT, (AUTH, "Content-Type: application/json", *headers), body)


def refused(name, raw, status, code):
    r = ask(raw)
    good = r.status == status and r.error["code"] == code and set(r.error) == {"message", "type", "param", "code"}
    check(name, good and not any(h.startswith("access-control") for h in r.headers), r)


def ended(s, limit):
    """True when the other side closes within limit seconds."""
    s.settimeout(limit)
    try:
        while s.recv(65536):
            pass
        return True
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def slow(name, raw, pace, limit):
    """One byte at a time: the server loses its patience before `limit` seconds have gone."""
    began = time.monotonic()
    with connect() as s:
        try:
            for b in raw:
                s.sendall(bytes([b]))
                if time.monotonic() - began > limit:
                    break
                time.sleep(pace)
        except ConnectionError:
            pass
        good = ended(s, 5)
    took = time.monotonic() - began
    check(f"{name} is cut off", good and took < limit, f"{took:.1f} s")


def at_the_door():
    refused("no token", request(headers=()), 401, "no-token")
    for name, value in (("another token", "Bearer cdvm-" + "A" * 43), ("half the token", f"Bearer {token[:24]}"),
                        ("a longer token", f"Bearer {token}A"), ("no scheme", token), ("an empty token", "Bearer ")):
        refused(name, request(headers=(f"Authorization: {value}",)), 401, "bad-token")
    for name in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{int(port) ^ 1}",
                 f"localhost.evil.example:{port}", f"0.0.0.0:{port}"):
        refused(f"host {name.replace(port, 'PORT')}", request(name=name), 403, "bad-host")
    r = ask(request(name=None))
    check("no host at all", r.status in (0, 400, 403), r)
    check("host localhost", ask(request(name=f"localhost:{port}")).status == 503)
    for origin in ("http://evil.example", f"http://{address}", "null"):
        refused(f"origin {origin.replace(port, 'PORT')}", request(headers=(AUTH, f"Origin: {origin}")), 403, "bad-origin")
    preflight = ("Origin: http://evil.example", "Access-Control-Request-Method: POST")
    refused("a page's preflight", request("OPTIONS", CHAT, preflight), 403, "bad-origin")


def requests():
    refused("before the guest", request(), 503, "not-ready")
    refused("a question before the guest", chat("SELECT 1"), 503, "not-ready")
    r = ask(request())
    check("it says when to come again", r.headers.get("retry-after") == "5", r)
    r = ask(request(path="/cdvm/attestation"))
    check("the attestation so far is 503 as well", r.status == 503 and "state" in json.loads(r.body), r)
    refused("another address", request(path="/v1/embeddings"), 404, "not-found")
    refused("a long address", request(path="/v1/" + "x" * 500), 404, "not-found")
    refused("another method", request("DELETE"), 405, "bad-method")
    refused("not JSON by its type", request("POST", CHAT, (AUTH, "Content-Type: text/plain"), b"{}"), 415, "bad-type")
    refused("too large", chat("x" * 300000), 413, "too-large")
    refused("far too large", request("POST", CHAT, (AUTH, "Content-Length: 9000000"), b""), 413, "too-large")
    refused("chunks", request("POST", CHAT, (AUTH, "Transfer-Encoding: chunked"), b"0\r\n\r\n"), 411, "no-length")
    r = ask(request(headers=(AUTH, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")))
    check("no websocket", r.status != 101, r)
    r = ask(request(headers=(AUTH, "Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABk")))
    check("no HTTP/2 by upgrade", r.status != 101, r)


def garbage():
    for name, raw in (("noise", bytes(range(256)) * 8), ("an HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
                      ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500),
                      ("headers without end", request(headers=(AUTH,) + tuple(f"X-{i}: {'y' * 500}" for i in range(60)))),
                      ("a length that is none", request("POST", CHAT, (AUTH, "Content-Length: -1")))):
        try:
            r = ask(raw)
            check(f"{name} is no request", r.status not in (200, 101), r)
        except ConnectionError:
            check(f"{name} is no request", True)
    for cut in (1, 10, 40, 120, 250):
        with connect() as s:
            s.sendall(chat("SELECT 1")[:cut])
    with connect() as s:  # the client has gone while the reply is written
        s.sendall(request() * 3)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    check("and it still answers", ask(request()).status == 503)


def crowd():
    held = []
    for _ in range(100):
        try:
            held.append(connect(2))
        except OSError:
            break
    open_ = 0
    time.sleep(0.5)
    for s in held:
        s.setblocking(False)
        try:
            if s.recv(1) == b"":
                s.close()
        except BlockingIOError:
            open_ += 1
        except ConnectionError:
            pass
    check("connections are bounded", 0 < open_ <= 64, open_)
    for s in held:
        s.close()
    for _ in range(50):
        if (r := ask(request())).status == 503:
            break
        time.sleep(0.1)
    check("and free again when they end", r.status == 503, r)


def waiting():
    patience = [threading.Thread(target=slow, args=a) for a in (
        ("a slow head", request(headers=(AUTH, "X: " + "y" * 200)), 0.2, 16),
        ("a slow body", chat("SELECT 1")[:-150] + b" " * 150, 0.02, 25),
        ("silence", b" ", 0, 16))]
    at_the_door()
    requests()
    garbage()
    crowd()
    for t in patience:
        t.start()
    with connect() as s:
        s.sendall(request() * 3)
        f = s.makefile("rb")
        got = [Reply(f).status for _ in range(3)]
    check("three requests in one piece get three answers", got == [503] * 3, got)
    for t in patience:
        t.join()


def answers():
    r = ask(request())
    check("models", r.status == 200 and json.loads(r.body)["data"][0]["id"] == "table", r)
    check("the key that answers is named", len(r.headers.get("cdvm-guest", "")) == 64, r)
    check("and that it is simulated", r.headers.get("cdvm-verdict") == "SIMULATED PASS", r)
    tree = ask(request(path="/cdvm/attestation"))
    shown = json.loads(tree.body)
    check("the tree is there", tree.status == 200 and shown["guest"] == r.headers["cdvm-guest"]
          and shown["evidence"]["simulated"] is True and shown["evidence"]["checks"], tree)
    r = ask(chat("SELECT count(*) AS n FROM sales", temperature=0.5, seed=7, whatever=[1.5]))
    check("an answer", r.status == 200 and "60" in json.loads(r.body)["choices"][0]["message"]["content"], r)
    check("what was ignored is named", r.headers.get("cdvm-ignored") == "temperature, seed, 1 more", r)
    r = ask(chat([{"role": "system", "content": "be brief"}, {"role": "user", "content": "SELECT 7 AS n"}]))
    check("a tool gets the last message alone", r.status == 200, r)
    r = ask(chat("SELECT 42 AS n", stream=True))
    events = [e for e in r.body.decode().split("\n\n") if e.startswith("data: ")]
    check("a streamed answer", r.status == 200 and "42" in r.body.decode() and events[-1] == "data: [DONE]"
          and json.loads(events[0][6:])["object"] == "chat.completion.chunk", r)
    r = ask(chat("SELECT 'before STOP after' AS words", stop="STOP"))
    text = json.loads(r.body)["choices"][0]["message"]["content"]
    check("a stop sequence", "before" in text and "STOP" not in text, r)


def refusals():
    refused("SQL that is none", chat("SELEKT"), 400, "bad-sql")
    refused("another model", chat("SELECT 1", model="gpt-4o"), 404, "model_not_found")
    json_ = (AUTH, "Content-Type: application/json")
    for name, body in (("half an object", b'{"messages":['), ("nothing", b""), ("a list", b"[1]"), ("not UTF-8", b'{"a":"\xff"}'),
                       ("a key twice", b'{"model":"a","model":"b"}'), ("deep", b"[" * 5000)):
        r = ask(request("POST", CHAT, json_, body))
        check(f"body: {name}", r.status == 400, r)
    for name, fields in (("n", {"n": 2}), ("tools", {"tools": [{"type": "function"}]}),
                         ("response_format", {"response_format": {"type": "json_object"}}),
                         ("logprobs", {"logprobs": True}), ("stream", {"stream": "yes"})):
        r = ask(chat("SELECT 1", **fields))
        check(f"{name} is refused by name", r.status == 400 and r.error["param"] == name, r)
    picture = [{"type": "image_url", "image_url": {"url": "data:,"}}]
    refused("a picture", chat([{"role": "user", "content": picture}]), 400, "unsupported")
    refused("a tool's message", chat([{"role": "tool", "content": "x"}]), 400, "unsupported")
    refused("no message", chat([]), 400, "bad-request")
    refused("a long conversation", chat("x" * 30000), 400, "too-large")


def in_turn():
    got = {}

    def one(i):
        got[i] = ask(chat(f"SELECT {i} * 1000 AS n"))

    threads = [threading.Thread(target=one, args=(i,)) for i in range(1, 5)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check("four at once each get their own", all(f"{i}000" in got[i].body.decode() for i in got), got)
    with connect() as s:
        s.sendall(chat("SELECT 111 AS n") * 2)
        check("who does not wait for an answer is left", ended(s, 10))
    with connect() as s:
        f = s.makefile("rb")
        for i in (333, 444):
            s.sendall(chat(f"SELECT {i} AS n"))
            r = Reply(f)
            check("one connection, one question after the other", str(i).encode() in r.body, r)


ENDLESS = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r"


def hang_up():
    for stream in (False, True):
        with connect() as s:
            s.sendall(chat(ENDLESS, stream=stream))
            time.sleep(1)
    began = time.monotonic()
    r = ask(chat("SELECT 3 AS n"))
    check("who hangs up takes the question back", r.status == 200 and time.monotonic() - began < 20,
          (r, time.monotonic() - began))


def ready():
    answers()
    refusals()
    in_turn()
    hang_up()


{"waiting": waiting, "ready": ready}[mode]()
