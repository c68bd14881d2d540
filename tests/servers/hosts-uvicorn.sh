#!/bin/bash
# uvicorn, by asyncio.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
# shellcheck source=tests/servers/common/hosts.sh
source "$here/hosts.sh"
needs /usr/bin/uvicorn
configure() { cp "$here/streams_app.py" "$work"; }
launch() {
	CANARIES=$canaries serve /usr/bin/uvicorn --host 127.0.0.1 --port "${ports[0]}" --lifespan off --ws wsproto --ssl-certfile "$certificate" \
		--ssl-keyfile "$key" streams_app:asgi
}
run_hosts
