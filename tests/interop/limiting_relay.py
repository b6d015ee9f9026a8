"""rust-nostr's relay (its Python package) on loopback, which takes so many events a minute from each connection.

usage: limiting_relay.py EVENTS     prints its address; runs until its standard input ends"""

import asyncio
import sys

from nostr_sdk import LocalRelayBuilder, RateLimit, uniffi_set_event_loop


async def main():
    loop = asyncio.get_running_loop()
    uniffi_set_event_loop(loop)
    relay = LocalRelayBuilder().rate_limit(RateLimit(max_reqs=100, notes_per_minute=int(sys.argv[1]))).build()
    await relay.run()
    print(await relay.url(), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    relay.shutdown()


asyncio.run(main())
