"""A TCP proxy on loopback that passes at most RATE bytes a second from client to server, so that a test
can act in the middle of a transfer. usage: slow_proxy.py LISTEN_PORT SERVER_PORT RATE"""
import asyncio
import sys

listen, server, rate = (int(a) for a in sys.argv[1:4])


async def pump(reader, writer, limit):
    try:
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()
            if limit:
                await asyncio.sleep(len(data) / limit)
    except OSError:
        pass
    finally:
        writer.close()


async def serve(reader, writer):
    try:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", server)
    except OSError:
        writer.close()
        return
    await asyncio.gather(pump(reader, up_writer, rate), pump(up_reader, writer, 0))


async def main():
    proxy = await asyncio.start_server(serve, "127.0.0.1", listen)
    print("listening", flush=True)
    async with proxy:
        await proxy.serve_forever()


asyncio.run(main())
