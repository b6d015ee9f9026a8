#!/usr/bin/python3
"""Documents of every format, and hostile ones, given to the chat workload, which has no model here and
answers with the passages it finds. Prints TAP lines.

usage: documents.py CHAT FOLDER     CHAT: the program; FOLDER: an empty one to work in"""

import json
import os
import subprocess
import sys
import time
import zipfile

chat, folder = sys.argv[1], sys.argv[2]
count = 0
failed = False


def check(name, good, said=""):
    global count, failed
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {name}")
    if not good:
        failed = True
        print(f"# {said}")


def pdf(text, extra=b""):
    """One page with one line, with a table of objects that readers accept."""
    stream = b"BT /F1 12 Tf 72 720 Td (" + text.encode() + b") Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    out, at = b"%PDF-1.4\n", []
    for i, o in enumerate(objects, 1):
        at.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (i, o)
    table = len(out)
    out += b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % a for a in at)
    return out + b"trailer << /Size 5 /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (extra, table)


def docx(name, body, member="word/document.xml"):
    head = '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
    with zipfile.ZipFile(path(name), "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", "<Types/>")
        with z.open(member, "w") as f:
            for piece in [head, *body, "</w:body></w:document>"]:
                f.write(piece.encode())


def paragraph(text, style=""):
    mark = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{mark}<w:r><w:t>{text}</w:t></w:r></w:p>"


def path(name):
    return os.path.join(folder, name)


def write(name, data):
    with open(path(name), "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())


def make_good():
    write("lease.txt", "The lease of the house in Lisbon ends on 31 May 2027.\n")
    write("minutes.md", "# Minutes\n\n## Budget\n\nThe board grants 4000 euro for a new bicycle shed.\n")
    write("page.html", "<title>Clinic</title><h1>Results</h1><p>Ferritin is 18&nbsp;ng/ml, below the limit.</p>")
    write("stock.csv", "article,place,count\nlantern,shelf 9,41\nanvil,yard,2\n")
    write("latin.txt", "Der K\xe4ufer zahlt die Geb\xfchr an M\xfcller.\n".encode("latin-1"))
    write("wide.txt", "The password of the vault is hummingbird.\n".encode("utf-16"))
    write("policy.pdf", pdf("The insurance covers hail damage up to 900 francs."))
    docx("offer.docx", [paragraph("Offer", "Heading1"), paragraph("We deliver 12 oak tables &amp; chairs in June.")])


GOOD = [
    ("lease.txt", "When does the lease end?", "31 May 2027"),
    ("minutes.md", "bicycle shed", "4000 euro"),
    ("page.html", "ferritin", "below the limit"),
    ("stock.csv", "where are the lanterns", "place: shelf 9"),
    ("latin.txt", "Käufer", "Gebühr"),
    ("wide.txt", "vault", "hummingbird"),
    ("policy.pdf", "hail damage", "900 francs"),
    ("offer.docx", "oak tables", "12 oak tables & chairs"),
]


def make_bad():
    write("virus.exe", b"MZ\x90\x00")
    write("picture.txt", b"\x89PNG\r\n\x1a\n\x00\x00")
    write("empty.txt", b"")
    write("blank.html", "<html><body><script>text()</script></body></html>")
    write("torn.pdf", pdf("x")[:60])
    write("locked.pdf", pdf("x", b"/Encrypt << /Filter /Standard /V 1 /R 2 /O (" + b"o" * 32 + b") /U (" + b"u" * 32 + b") /P -4 >>"
                            b" /ID [(0123456789abcdef) (0123456789abcdef)]"))
    write("page.pdf", "not a pdf at all")
    write("torn.docx", b"PK\x03\x04" + b"\x14\x00" * 20)
    write("sheet.docx", b"")
    docx("sheet.docx", [paragraph("cells")], "xl/workbook.xml")
    write("sheet.xlsx", b"PK\x03\x04")
    with zipfile.ZipFile(path("entity.docx"), "w") as z:
        z.writestr("word/document.xml", '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x><t>&f;</t></x>')


BAD = [
    ("virus.exe", "unsupported"), ("picture.txt", "unsupported"), ("empty.txt", "bad-document"),
    ("blank.html", "bad-document"), ("torn.pdf", "bad-document"), ("locked.pdf", "bad-document"),
    ("page.pdf", "unsupported"), ("torn.docx", "bad-document"), ("sheet.docx", "bad-document"),
    ("sheet.xlsx", "unsupported"), ("entity.docx", "bad-document"),
]


def make_large():
    """Each far larger, deeper or wider than it looks; none may take long, and none the others with it."""
    docx("bomb.docx", (paragraph("tick tock " * 100000) for _ in range(400)))  # 400 MB in 1 MB
    write("deep.html", "<p>surface</p>" + "<div><i>" * 200000 + "bottom")
    write("headings.md", "# a\n" * 200000 + "needle in the headings\n")
    write("line.txt", "x" * 30000000)
    write("attributes.html", "<p " + " ".join(f"a{i}=1" for i in range(15000)) + ">wide</p>")


LARGE = ["bomb.docx", "deep.html", "headings.md", "line.txt", "attributes.html"]


class Chat:
    def __init__(self):
        os.makedirs(path("models"))
        os.makedirs(path("run"))
        self.process = subprocess.Popen([chat, path("models"), path("run"), "/nonexistent"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.send({"t": "start", "params": {}})
        self.until(lambda o: o["t"] in ("ready", "error"))

    def send(self, o):
        self.process.stdin.write(json.dumps(o) + "\n")
        self.process.stdin.flush()

    def until(self, wanted):
        seen = []
        for line in self.process.stdout:
            seen.append(json.loads(line))
            if wanted(seen[-1]):
                return seen
        raise SystemExit("the program has ended")

    def do(self, o):
        self.send(o)
        return self.until(lambda a: a["t"] in ("done", "error") and a.get("id") == o["id"])

    def attach(self, name):
        return self.do({"t": "file", "id": name, "name": name, "path": path(name), "sha256": "00" * 32})[-1]

    def ask(self, text):
        said = self.do({"t": "ask", "id": f"q{time.monotonic_ns()}", "text": text})
        return next((o["sources"] for o in said if o["t"] == "sources"), []), said


def found(c, name, question, answer):
    sources, _ = c.ask(question)
    check(f"{name}: found", bool(sources) and sources[0]["doc"] == name and answer in sources[0]["snippet"], sources[:2])


def main():
    make_good()
    make_bad()
    make_large()
    c = Chat()
    for name, _, _ in GOOD:
        end = c.attach(name)
        check(f"{name}: read", end["t"] == "done", end)
    for name, code in BAD:
        end = c.attach(name)
        check(f"{name}: refused with {code}", end.get("code") == code and len(end.get("message", "")) > 15, end)
    for name in LARGE:
        start = time.monotonic()
        end = c.attach(name)
        took = time.monotonic() - start
        check(f"{name}: read or refused in time", end["t"] in ("done", "error") and took < 60, f"{took:.1f} s {end}")
        print(f"# {name}: {end['t']} {end.get('code', '')} in {took:.1f} s")
    for row in GOOD:
        found(c, *row)
    c.send({"t": "end"})
    check("it ends", c.process.wait(10) == 0)
    print(f"1..{count}")
    return failed


sys.exit(main())
