#!/bin/bash
# gevent's WSGI server: greenlets that share a thread.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/python3 /usr/lib/python3/dist-packages/gevent
configure() {
	cp "$here/app.py" "$work"
	file server.py <<-X
		import sys
		sys.path.insert(0, ".")
		import app, gevent
		from gevent.pywsgi import WSGIServer
		servers = [WSGIServer(("127.0.0.1", int(port)), app.application, certfile=sys.argv[1], keyfile=sys.argv[2])
		           for port in sys.argv[3:]]
		for server in servers:
		    server.start()
		gevent.wait()
	X
}
launch() { serve /usr/bin/python3 server.py "$certificate" "$key" "${ports[@]}"; }
answer='hello from python' host_log="$of_python|greenlet|<WSGIServer|<gevent|^DTN|^N-"
run_server
