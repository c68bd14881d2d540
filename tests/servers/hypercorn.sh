#!/bin/bash
# Hypercorn with HTTP/2.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/python3 /usr/lib/python3/dist-packages/hypercorn /usr/lib/python3/dist-packages/h2
configure() { cp "$here/app.py" "$work"; }
# shellcheck disable=SC2046 # two words for each port
launch() {
	serve /usr/bin/python3 -m hypercorn $(each_port '-b 127.0.0.1:@') --certfile "$certificate" --keyfile "$key" \
		--graceful-timeout 1 app:asgi
}
alpn=h2 request=$http2_request answer='hello from python'
alerts=no
run_server
