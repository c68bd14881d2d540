"""What is not over with one answer, asked of the open sites of a server of four: how many of these went right.

streams.py PORT KIND...
  events  server-sent events: each comes as it is sent, and not with the last one
  socket  WebSocket: a hundred messages, one of a MiB, and one that looks like another site's request come back as they were
"""
import asyncio
import os
import socket
import ssl
import sys
import time

import aiohttp
import aiohttp.abc

OPEN = ('direct.example', 'blog.example')
EVENTS, APART_S = 5, 0.2
AS_REQUEST = 'GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n'


class Here(aiohttp.abc.AbstractResolver):
    """Every name is this machine's."""

    async def resolve(self, host, port=0, family=socket.AF_INET):
        return [{'hostname': host, 'host': '127.0.0.1', 'port': port, 'family': socket.AF_INET, 'proto': 0, 'flags': 0}]

    async def close(self):
        pass


async def events(session, url, name):
    times, lines = [], []
    async with session.get(url) as answer:
        async for line in answer.content:
            if line.strip():
                times.append(time.monotonic())
                lines.append(line.decode().strip())
    return lines == [f'data: {number} of {name}' for number in range(EVENTS)] and times[-1] - times[0] >= APART_S


async def comes_back(stream, message):
    await (stream.send_str(message) if isinstance(message, str) else stream.send_bytes(message))
    return (await stream.receive(20)).data == message


async def echoes(session, url, name):
    messages = [f'{number} for {name}' for number in range(100)] + [os.urandom(1 << 20), AS_REQUEST]
    async with session.ws_connect(url, max_msg_size=0) as stream:
        right = [await comes_back(stream, message) for message in messages]
        await stream.close()
        return all(right) and stream.close_code == 1000


async def main():
    port, kinds = sys.argv[1], sys.argv[2:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    right = 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context, resolver=Here()), timeout=aiohttp.ClientTimeout(30)) as session:
        for name in OPEN:
            for kind in kinds:
                ask = {'events': events, 'socket': echoes}[kind]
                try:
                    right += await ask(session, f'https://{name}:{port}/{kind}', name)
                except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
                    print(f'# {kind} of {name}: {error!r}', file=sys.stderr)
    print(right)


asyncio.run(main())
