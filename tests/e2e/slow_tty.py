#!/usr/bin/env python3
"""The program on a pseudo terminal of our own.

slow     the terminal takes 2,000 bytes a second: frames are left out and not queued, keys are answered
focus    focus out hides what is shown when `blur` is on; no mouse mode is on unless it was asked for
stuck    nobody reads: a signal ends the program all the same

Prints TAP-like words on standard output: "ok WHAT" or "not ok WHAT: why"; exit 1 when something is not."""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

failed = 0


def verdict(good, what, why=""):
    global failed
    failed += not good
    print(("ok " if good else "not ok ") + what + ("" if good else ": " + why), flush=True)


class Terminal:
    def __init__(self, argv, rows=50, cols=160):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execv(argv[0], argv)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
        self.seen = b""

    def read(self, most=65536, wait=0.0):
        if not select.select([self.fd], [], [], wait)[0]:
            return b""
        try:
            piece = os.read(self.fd, most)
        except OSError:
            return b""
        self.seen += piece
        return piece

    def expect(self, words, seconds=20):
        end = time.monotonic() + seconds
        while words not in self.seen and time.monotonic() < end:
            self.read(wait=0.2)
        return words in self.seen

    def quiet(self, seconds=0.7):
        while self.read(wait=seconds):
            pass

    def type(self, keys):
        os.write(self.fd, keys)

    def ended(self, seconds, rate=None):
        """Reads on, at most `rate` bytes a second, until the process has gone."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if rate:
                self.read(rate // 20)
                time.sleep(0.05)
            else:
                self.read(wait=0.05)
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                self.quiet(0.1)
                return True
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return False


def slow(cdvm):
    t = Terminal([cdvm, "tui"])
    verdict(t.expect(b"No relay"), "slow: the program is on the screen", repr(t.seen[-300:]))
    t.quiet()
    t.seen = b""
    t.type(b"\x0c")
    t.quiet()
    frame = len(t.seen)
    verdict(frame > 1000, "slow: a whole frame is some thousand bytes", str(frame))
    # Forty whole frames are asked for in four seconds, by a line that carries a fraction of that.
    t.seen = b""
    for _ in range(40):
        t.type(b"\x0c")
        for _ in range(2):
            t.read(100)
            time.sleep(0.05)
    t.quiet()
    verdict(len(t.seen) < 40 * frame // 2, "slow: frames are left out and not queued",
            f"{len(t.seen)} bytes came, a frame has {frame}")
    verdict(b"quit" in t.seen, "slow: what comes last is a whole frame", repr(t.seen[-200:]))
    # With the terminal standing still a key is heard all the same.
    t.type(b"\x0c" * 5)
    time.sleep(0.3)
    t.type(b"q")
    began = time.monotonic()
    verdict(t.ended(10, rate=4000), "slow: q leaves, with the terminal all but standing still")
    print(f"# a frame {frame} bytes, {len(t.seen)} bytes in all, left after {time.monotonic() - began:.1f} s")
    verdict(b"\x1b[?1049l" in t.seen[-200:],
            "slow: the main screen is back", repr(t.seen[-100:]))


def stuck(cdvm):
    """Nobody reads at all: a signal still ends it, within the two seconds that it waits."""
    t = Terminal([cdvm, "tui"])
    t.expect(b"No relay")
    t.quiet()
    for _ in range(20):
        t.type(b"\x0c")
        time.sleep(0.05)
    os.kill(t.pid, signal.SIGTERM)
    end = time.monotonic() + 8
    gone = False
    while not gone and time.monotonic() < end:
        time.sleep(0.1)
        gone = os.waitpid(t.pid, os.WNOHANG)[0] != 0
    verdict(gone, "stuck: SIGTERM ends it while nobody reads")
    if not gone:
        os.kill(t.pid, signal.SIGKILL)


def focus(cdvm):
    t = Terminal([cdvm, "tui", "--blur"])
    verdict(t.expect(b"No relay"), "focus: the program is on the screen")
    verdict(b"\x1b[?1004h" in t.seen and b"\x1b[?2004h" in t.seen, "focus: told of focus and pastes")
    verdict(b"\x1b[?1000h" not in t.seen and b"\x1b[?1002h" not in t.seen and b"\x1b[?1003h" not in t.seen,
            "focus: the mouse stays the terminal's")
    t.quiet()
    t.seen = b""
    t.type(b"\x1b[O")
    verdict(t.expect(b"hides itself"), "focus: out hides it", repr(t.seen[-200:]))
    t.seen = b""
    t.type(b"\x1b[I")
    verdict(t.expect(b"No relay"), "focus: in shows it again", repr(t.seen[-200:]))
    t.type(b"q")
    t.ended(10)
    for mode in (b"2004l", b"1004l", b"1000l", b"1006l"):
        verdict(b"\x1b[?" + mode in t.seen, f"focus: {mode.decode()} at the end")
    w = Terminal([cdvm, "tui", "--mouse", "wheel"])
    w.expect(b"No relay")
    verdict(w.expect(b"1000", 2) and b"1006" in w.seen, "wheel: the mouse is asked for when it is wanted")
    w.type(b"\x1b[<64;10;10M\x1b[<65;10;10M\x1b[<0;10;10M\x1b[<0;10;10m")
    w.quiet()
    w.type(b"q")
    verdict(w.ended(10), "wheel: turns and clicks are no keys")


for part in sys.argv[2:]:
    {"slow": slow, "stuck": stuck, "focus": focus}[part](sys.argv[1])
sys.exit(failed > 0)
