#!/bin/bash
# uvicorn, by asyncio.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
# shellcheck source=tests/servers/common/hosts.sh
source "$here/hosts.sh"
needs /usr/bin/uvicorn
configure() {
	file app.py <<-X
		NAMES = '${sites[*]}'.split()

		async def asgi(scope, receive, send):
		    host = dict(scope['headers']).get(b'host', b'').decode('latin-1').lower().split(':')[0]
		    name = host if host in NAMES else NAMES[0]
		    while (await receive()).get('more_body'):
		        pass
		    with open('$canaries', 'a') as lines:
		        lines.write(name + '\n')
		    text = f'canary of {name}\n'.encode()
		    await send({'type': 'http.response.start', 'status': 200, 'headers': [(b'content-length', str(len(text)).encode())]})
		    await send({'type': 'http.response.body', 'body': text})
	X
}
launch() {
	serve /usr/bin/uvicorn --host 127.0.0.1 --port "${ports[0]}" --lifespan off --ssl-certfile "$certificate" --ssl-keyfile "$key" app:asgi
}
run_hosts
