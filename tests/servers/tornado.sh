#!/bin/bash
# Tornado: handshakes on sockets that do not block.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/python3 /usr/lib/python3/dist-packages/tornado
configure() {
	file server.py <<-X
		import ssl, sys
		from tornado import httpserver, ioloop, web
		class Greeter(web.RequestHandler):
		    def get(self):
		        self.write("hello from tornado\n")
		context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
		context.load_cert_chain(sys.argv[1], sys.argv[2])
		server = httpserver.HTTPServer(web.Application([("/", Greeter)]), ssl_options=context)
		for port in sys.argv[3:]:
		    server.listen(int(port), "127.0.0.1")
		ioloop.IOLoop.current().start()
	X
}
launch() { serve /usr/bin/python3 server.py "$certificate" "$key" "${ports[@]}"; }
answer='hello from tornado'
run_server
