#!/bin/bash
# CherryPy's server, Cheroot, with Python's own ssl module.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/python3 /usr/lib/python3/dist-packages/cheroot
configure() {
	cp "$here/app.py" "$work"
	file server.py <<-X
		import sys, threading
		sys.path.insert(0, ".")
		import app
		from cheroot import wsgi
		from cheroot.ssl.builtin import BuiltinSSLAdapter
		for port in sys.argv[3:]:
		    server = wsgi.Server(("127.0.0.1", int(port)), app.application)
		    server.ssl_adapter = BuiltinSSLAdapter(sys.argv[1], sys.argv[2])
		    threading.Thread(target=server.start).start()
	X
}
launch() { serve /usr/bin/python3 server.py "$certificate" "$key" "${ports[@]}"; }
stop_signal=KILL answer='hello from python'
run_server
