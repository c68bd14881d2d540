"""What is not over with one answer, as an ASGI application: WebSocket that echoes at /socket, events at /events, 10 MiB at /large; and
an answer by its site to every other request.  For uvicorn, before which a proxy may stand.

CANARIES in the environment: the file into which the site writes its name for each request that it executes; not set: none.
"""
import asyncio
import os

NAMES = 'shop.example other.example direct.example blog.example'.split()
EVENTS, PAUSE_S = 5, 0.1


def site_of(scope):
    host = dict(scope['headers']).get(b'host', b'').decode('latin-1').lower().split(':')[0]
    return host if host in NAMES else NAMES[0]


async def echo(receive, send):
    while (message := await receive())['type'] != 'websocket.disconnect':
        if message['type'] == 'websocket.connect':
            await send({'type': 'websocket.accept'})
        else:
            await send({'type': 'websocket.send', 'text': message.get('text'), 'bytes': message.get('bytes')})


async def answer(send, kind, pieces, length=None):
    headers = [(b'content-type', kind)] + ([(b'content-length', str(length).encode())] if length is not None else [])
    await send({'type': 'http.response.start', 'status': 200, 'headers': headers})
    async for piece in pieces:
        await send({'type': 'http.response.body', 'body': piece, 'more_body': True})
    await send({'type': 'http.response.body', 'body': b''})


async def events(name):
    for number in range(EVENTS):
        yield f'data: {number} of {name}\n\n'.encode()
        await asyncio.sleep(PAUSE_S)


async def whole(text):
    yield text


async def asgi(scope, receive, send):
    name = site_of(scope)
    if scope['type'] == 'websocket':
        await echo(receive, send)
        return
    while (await receive()).get('more_body'):
        pass
    if 'CANARIES' in os.environ:
        with open(os.environ['CANARIES'], 'a') as lines:
            lines.write(name + '\n')
    if scope['path'] == '/events':
        await answer(send, b'text/event-stream', events(name))
    else:
        text = f'canary of {name}\n'.encode() + (b'x' * (10 << 20) if scope['path'] == '/large' else b'')
        await answer(send, b'text/plain', whole(text), len(text))
