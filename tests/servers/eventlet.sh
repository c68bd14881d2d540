#!/bin/bash
# eventlet's WSGI server.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/python3 /usr/lib/python3/dist-packages/eventlet
configure() {
	cp "$here/app.py" "$work"
	file server.py <<-X
		import sys
		sys.path.insert(0, ".")
		import app, eventlet
		from eventlet import wsgi
		def serve(port):
		    listener = eventlet.listen(("127.0.0.1", port))
		    wsgi.server(eventlet.wrap_ssl(listener, certfile=sys.argv[1], keyfile=sys.argv[2], server_side=True), app.application)
		for port in sys.argv[3:]:
		    eventlet.spawn(serve, int(port))
		while True:
		    eventlet.sleep(60)
	X
}
launch() { serve /usr/bin/python3 server.py "$certificate" "$key" "${ports[@]}"; }
answer='hello from python' host_log="$of_python|^Removing descriptor"
run_server
