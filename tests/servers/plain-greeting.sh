#!/bin/bash
# A server that speaks first, and in plain text, on a port that is named: neither its greeting nor a command passes.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/python3
ports_wanted=3
configure() {
	file server.py <<-X
		import socketserver, sys, threading
		class Talker(socketserver.StreamRequestHandler):
		    def handle(self):
		        try:
		            self.wfile.write(b"220 localhost\r\n")
		        except OSError:
		            pass
		        for line in self.rfile:
		            with open("canary", "a") as canary:
		                canary.write("x")
		            self.wfile.write(b"250 done\r\n")
		socketserver.ThreadingTCPServer.allow_reuse_address = True
		for port in sys.argv[1:]:
		    threading.Thread(target=socketserver.ThreadingTCPServer(("127.0.0.1", int(port)), Talker).serve_forever).start()
	X
}
launch() { serve /usr/bin/python3 server.py "${ports[@]}"; }
plain=yes request='MAIL FROM:<a@b>\r\n' answer='^250 done' host_log=$of_python
run_server
