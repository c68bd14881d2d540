#!/bin/bash
# uvicorn, by asyncio; one port.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/uvicorn
ports_wanted=1
configure() { cp "$here/app.py" "$work"; }
launch() {
	serve /usr/bin/uvicorn --host 127.0.0.1 --port "${ports[0]}" --lifespan off --ssl-certfile "$certificate" --ssl-keyfile "$key" app:asgi
}
answer='hello from python' access_line='"GET / HTTP'
alerts=no
run_server
