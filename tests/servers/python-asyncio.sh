#!/bin/bash
# Python's asyncio, which gives OpenSSL memory.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/python3
configure() {
	file server.py <<-X
		import asyncio, ssl, sys
		context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
		context.load_cert_chain(sys.argv[1], sys.argv[2])
		context.options |= ssl.OP_NO_TICKET  # so that it keeps sessions itself
		async def serve(reader, writer):
		    try:
		        print("asked:", await reader.readuntil(b"\r\n\r\n"), flush=True)
		        sessions = context.session_stats()["number"]
		        writer.write(b"HTTP/1.0 200 OK\r\n\r\nhello from asyncio, sessions: %d\n" % sessions)
		        await writer.drain()
		    except (OSError, EOFError):
		        pass
		    writer.close()
		async def main():
		    servers = [await asyncio.start_server(serve, "127.0.0.1", int(port), ssl=context) for port in sys.argv[3:]]
		    await asyncio.gather(*(server.serve_forever() for server in servers))
		asyncio.run(main())
	X
}
launch() { serve /usr/bin/python3 server.py "$certificate" "$key" "${ports[@]}"; }
answer='hello from asyncio' access_line='^asked:' sessions_request=$http_request sessions='sessions: '
alerts=no
run_server
