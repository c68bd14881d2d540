#!/bin/bash
# gunicorn with threads, which wrap the socket elsewhere than where it was accepted.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/gunicorn
configure() { cp "$here/app.py" "$work"; }
# shellcheck disable=SC2046 # two words for each port
launch() {
	serve /usr/bin/gunicorn $(each_port '-b 127.0.0.1:@') -k gthread --threads 4 --certfile "$certificate" --keyfile "$key" \
		--graceful-timeout 1 app:application
}
answer='hello from python'
run_server
