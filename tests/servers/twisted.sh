#!/bin/bash
# Twisted, by pyOpenSSL and memory.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/python3 /usr/lib/python3/dist-packages/twisted /usr/lib/python3/dist-packages/OpenSSL
configure() {
	file server.py <<-X
		import sys
		from twisted.internet import reactor, ssl
		from twisted.web import resource, server
		class Greeter(resource.Resource):
		    isLeaf = True
		    def render_GET(self, request):
		        return b"hello from twisted\n"
		factory = ssl.DefaultOpenSSLContextFactory(sys.argv[2], sys.argv[1], ssl.SSL.TLS_METHOD)
		for port in sys.argv[3:]:
		    reactor.listenSSL(int(port), server.Site(Greeter()), factory, interface="127.0.0.1")
		reactor.run()
	X
}
launch() { serve /usr/bin/python3 server.py "$certificate" "$key" "${ports[@]}"; }
answer='hello from twisted'
run_server
