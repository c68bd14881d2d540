#!/bin/bash
# gunicorn, two processes that are not root.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/gunicorn
configure() { cp "$here/app.py" "$work"; }
# shellcheck disable=SC2046 # two words for each port
launch() {
	serve /usr/bin/gunicorn $(each_port '-b 127.0.0.1:@') -w 2 -u nobody -g nogroup --certfile "$certificate" --keyfile "$key" \
		--graceful-timeout 1 --access-logfile - app:application
}
answer='hello from python' access_line='"GET / HTTP'
run_server
