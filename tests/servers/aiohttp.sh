#!/bin/bash
# aiohttp's server.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/python3 /usr/lib/python3/dist-packages/aiohttp
configure() {
	file server.py <<-X
		import ssl, sys
		from aiohttp import web
		async def greet(request):
		    return web.Response(text="hello from aiohttp\n")
		context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
		context.load_cert_chain(sys.argv[1], sys.argv[2])
		application = web.Application()
		application.add_routes([web.get("/", greet)])
		import asyncio
		async def main():
		    runner = web.AppRunner(application)
		    await runner.setup()
		    for port in sys.argv[3:]:
		        await web.TCPSite(runner, "127.0.0.1", int(port), ssl_context=context).start()
		    await asyncio.Event().wait()
		asyncio.run(main())
	X
}
launch() { serve /usr/bin/python3 server.py "$certificate" "$key" "${ports[@]}"; }
answer='hello from aiohttp'
alerts=no
run_server
