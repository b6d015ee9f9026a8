#!/usr/bin/env python3
"""Stands for AMD's and NVIDIA's servers, at their real paths: what lies below DIR, as they give it. Prints its
address. usage: collateral_server.py DIR
  DIR/get/PATH      answer to GET (a query is cut off); DIR/rim/ID.xml: as the service for reference values wraps it
  DIR/ocsp/*.der    answers to POST /, found by the name of the certificate that is asked about
  DIR/faults        lines "PATH FAULT N", in force for the first N questions: 404, 429, 500, truncated, wrong, redirect,
                    endless (4 MiB whose length is not told)
  DIR/asked         what was asked, a line each"""
import base64
import hashlib
import http.server
import json
import os
import sys

root = sys.argv[1]
counts = {}


def read(path):
    with open(path, "rb") as f:
        return f.read()


def fault(path):
    """The fault in force for this path, if any."""
    try:
        lines = read(os.path.join(root, "faults")).decode().splitlines()
    except FileNotFoundError:
        return None
    for line in lines:
        where, what, n = line.split()
        if path == where and counts.setdefault(line, 0) < int(n):
            counts[line] += 1
            return what
    return None


def reference_values(name):
    xml = read(os.path.join(root, "rim", name + ".xml"))
    return json.dumps({"id": name, "rim": base64.b64encode(xml).decode(), "sha256": hashlib.sha256(xml).hexdigest(),
                       "last_updated": "2024-06-01T00:00:00.5Z", "rim_format": "SWIDTAG", "request_id": "x"}).encode()


def ocsp_answer(question):
    # The certificate's name in it begins with the algorithm SHA-384 and ends the question.
    name = question[question.index(bytes.fromhex("0609608648016503040202")):]
    for f in sorted(os.listdir(os.path.join(root, "ocsp"))):
        answer = read(os.path.join(root, "ocsp", f))
        if name in answer:
            return answer
    raise FileNotFoundError


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def reply(self, status, body, length=None, more=()):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in more:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def serve(self, path, find):
        with open(os.path.join(root, "asked"), "a", encoding="ascii") as f:
            f.write(self.command + " " + self.path + "\n")
        what = fault(path)
        try:
            body = find()
        except (FileNotFoundError, ValueError):
            what = what or "404"
        if what == "429":
            self.reply(429, b"slow down", more=[("Retry-After", "1")])
        elif what in ("404", "500"):
            self.reply(int(what), b"no")
        elif what == "redirect":
            self.reply(302, b"", more=[("Location", "http://127.0.0.1:1/elsewhere")])
        elif what == "truncated":
            self.reply(200, body[:len(body) // 2], length=len(body))
            self.close_connection = True
        elif what == "endless":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x" * (4 << 20))
        elif what == "wrong":
            self.reply(200, read(os.path.join(root, "wrong")))
        else:
            self.reply(200, body)

    def do_GET(self):
        path = self.path.split("?")[0]
        if path.startswith("/v1/rim/"):
            self.serve(path, lambda: reference_values(os.path.basename(path)))
        else:
            self.serve(path, lambda: read(os.path.join(root, "get") + path))

    def do_POST(self):
        question = self.rfile.read(int(self.headers["Content-Length"]))
        right = self.headers["Content-Type"] == "application/ocsp-request"
        self.serve(self.path, lambda: ocsp_answer(question if right else b""))


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("http://127.0.0.1:%d" % server.server_port, flush=True)
server.serve_forever()
