"""rust-nostr (its Python package) against `cdvm relay`, and our client against rust-nostr's own relay.

Environment: RELAY (URL of ours), PEER (path of tests/interop/peer)."""

import asyncio
import json
import os
import subprocess
from datetime import timedelta

from nostr_sdk import (
    ClientBuilder, EncryptedSecretKey, Event, EventBuilder, Filter, Keys, KeySecurity, Kind, LocalRelayBuilder,
    LocalRelayBuilderNip42, LocalRelayBuilderNip42Mode, Nip44Version, RelayUrl, ReqTarget,
    SignerAuthenticator, Tag, UnwrappedGift, nip44_decrypt, nip44_encrypt, nip59_make_gift_wrap,
    uniffi_set_event_loop,
)

RELAY, PEER = os.environ["RELAY"], os.environ["PEER"]
ME, YOU = Keys.generate(), Keys.generate()
WAIT = timedelta(seconds=5)


def sk(keys):
    return keys.secret_key().to_hex()


def pk(keys):
    return keys.public_key().to_hex()


async def peer(args, text="", fails=False):
    proc = await asyncio.create_subprocess_exec(
        PEER, *args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = await proc.communicate(text.encode())
    assert (proc.returncode != 0) == fails, f"peer {args[0]}: {err.decode()}"
    return err.decode() if fails else out.decode()


async def client(keys=None, url=RELAY):
    builder = ClientBuilder()
    if keys:
        builder = builder.authenticator(SignerAuthenticator(keys))
    c = builder.build()
    await c.add_relay(RelayUrl.parse(url))
    await c.connect(WAIT)
    return c


def note(text, keys=ME, kind=1, tags=()):
    return EventBuilder(Kind(kind), text).tags([Tag.parse(list(t)) for t in tags]).finalize(keys)


async def fetch(c, f):
    return await c.fetch_events(ReqTarget.auto([f]), WAIT)


async def send(c, event):
    out = await c.send_event(event)
    assert out.success, f"refused: {out.failed}"


def rumor(text):
    return EventBuilder(Kind(14), text).tags([Tag.parse(["p", pk(YOU)])]).finalize_unsigned(ME.public_key())


async def publishes_and_queries():
    c = await client()
    e = note("from rust \U0001f980 \u2028 \"quoted\" \\")
    await send(c, e)
    got = await fetch(c, Filter().id(e.id()))
    assert len(got) == 1 and got[0].as_json() == e.as_json()
    await c.shutdown()


async def replaces():
    c = await client()
    for text in ("a", "b"):
        e = EventBuilder(Kind(30078), text).tags([Tag.parse(["d", "x"])]).finalize(ME)
        await send(c, e)
        await asyncio.sleep(1.1)
    got = await fetch(c, Filter().author(ME.public_key()).kind(Kind(30078)))
    assert len(got) == 1 and got[0].content() == "b"
    await c.shutdown()


async def auth_opens_the_inbox():
    sender, stranger, owner = await client(), await client(ME), await client(YOU)
    wrap = nip59_make_gift_wrap(ME, YOU.public_key(), rumor("hello inbox"))
    await send(sender, wrap)
    mine = Filter().kind(Kind(1059)).pubkey(YOU.public_key())
    got = await fetch(owner, mine)
    assert [e.id().to_hex() for e in got] == [wrap.id().to_hex()], "the recipient does not see it"
    for c in (sender, stranger):
        try:
            assert not await fetch(c, mine), "somebody else sees it"
        except AssertionError:
            raise
        except Exception:
            pass  # refused: CLOSED
    for c in (sender, stranger, owner):
        await c.shutdown()


async def nip44_both_ways():
    for n in (1, 32, 33, 1000, 40000):
        text = "x" * (n - 1) + "!"
        theirs = nip44_encrypt(ME.secret_key(), YOU.public_key(), text, Nip44Version.V2)
        assert await peer(["decrypt", sk(YOU), pk(ME)], theirs) == text
        ours = await peer(["encrypt", sk(YOU), pk(ME)], text)
        assert nip44_decrypt(ME.secret_key(), YOU.public_key(), ours) == text


async def nip49_both_ways():
    word = "\u212b a passphrase"
    theirs = EncryptedSecretKey(ME.secret_key(), word, 16, KeySecurity.UNKNOWN).to_bech32()
    assert await peer(["unlock", word], theirs) == sk(ME)
    ours = await peer(["lock", sk(ME), word])
    assert EncryptedSecretKey.from_bech32(ours).decrypt(word).to_hex() == sk(ME)


async def nip59_theirs_to_ours():
    wrap = nip59_make_gift_wrap(ME, YOU.public_key(), rumor("to C"))
    got = json.loads(await peer(["unwrap", sk(YOU)], wrap.as_json()))
    assert got["content"] == "to C" and got["pubkey"] == pk(ME)


async def nip59_ours_to_theirs():
    wrap = Event.from_json(await peer(["wrap", sk(ME), pk(YOU)], "from C"))
    gift = UnwrappedGift.from_gift_wrap(YOU, wrap)
    assert gift.rumor().content() == "from C" and gift.sender().to_hex() == pk(ME)


async def with_their_relay(run, mode=None):
    builder = LocalRelayBuilder()
    if mode is not None:
        builder = builder.nip42(LocalRelayBuilderNip42(mode=mode))
    relay = builder.build()
    await relay.run()
    try:
        await run(str(await relay.url()))
    finally:
        relay.shutdown()


async def ours_on_their_relay():
    async def run(url):
        made = json.loads(await peer(["publish", url, sk(ME)], "from C to rust"))
        got = json.loads(await peer(["fetch", url, sk(ME), json.dumps({"ids": [made["id"]]})]))
        assert got == made
    await with_their_relay(run)


async def ours_authenticates_on_their_relay():
    async def run(url):
        made = json.loads(await peer(["publish", url, sk(ME)], "after AUTH"))
        got = json.loads(await peer(["fetch", url, sk(ME), json.dumps({"ids": [made["id"]]})]))
        assert got["content"] == "after AUTH"
    await with_their_relay(run, LocalRelayBuilderNip42Mode.BOTH)


async def ours_sends_wraps_over_their_relay():
    async def run(url):
        wrap = await peer(["wrap", sk(ME), pk(YOU)], "over rust")
        await peer(["send", url, sk(ME)], wrap)
        asked = json.dumps({"kinds": [1059], "#p": [pk(YOU)]})
        back = await peer(["fetch", url, sk(YOU), asked])
        assert json.loads(await peer(["unwrap", sk(YOU)], back.strip()))["content"] == "over rust"
    await with_their_relay(run)


TESTS = [
    ("publishes and queries", publishes_and_queries),
    ("replaces", replaces),
    ("AUTH opens the inbox, to its owner only", auth_opens_the_inbox),
    ("NIP-44: both ways", nip44_both_ways),
    ("NIP-49: both ways", nip49_both_ways),
    ("NIP-59: theirs to ours", nip59_theirs_to_ours),
    ("NIP-59: ours to theirs", nip59_ours_to_theirs),
    ("our client on their relay", ours_on_their_relay),
    ("our client authenticates on their relay", ours_authenticates_on_their_relay),
    ("our gift wraps over their relay", ours_sends_wraps_over_their_relay),
]


async def main():
    uniffi_set_event_loop(asyncio.get_running_loop())
    for name, test in TESTS:
        try:
            await asyncio.wait_for(test(), 60)
            print(f"ok rust-nostr: {name}", flush=True)
        except Exception as e:  # whatever it is, the next test runs
            print(f"not ok rust-nostr: {name}\n# {type(e).__name__}: {e}", flush=True)


asyncio.run(main())
