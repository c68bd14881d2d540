#!/bin/bash
# mini_httpd, a process for each connection.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs mini_httpd
ports_wanted=1
configure() {
	mkdir -p "$work/www"
	echo 'hello from mini_httpd' >"$work/www/index.html"
}
launch() { serve mini_httpd -D -S -E "$pair" -h 127.0.0.1 -p "${ports[0]}" -d "$work/www" -u nobody -l /dev/null; }
answer='hello from mini_httpd'
run_server
