#!/bin/bash
# A plain HTTP server on a port that is named: nothing that is asked may be executed.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/python3
ports_wanted=3
configure() {
	file server.py <<-X
		import http.server, sys, threading
		class Counter(http.server.BaseHTTPRequestHandler):
		    def do_POST(self):
		        with open("canary", "a") as canary:
		            canary.write("x")
		        self.send_response(200)
		        self.end_headers()
		        self.wfile.write(b"done\n")
		    do_GET = do_POST
		    def log_message(self, *_):
		        pass
		for port in sys.argv[1:]:
		    threading.Thread(target=http.server.HTTPServer(("127.0.0.1", int(port)), Counter).serve_forever).start()
	X
}
launch() { serve /usr/bin/python3 server.py "${ports[@]}"; }
plain=yes request='POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n' answer='^done'
run_server
