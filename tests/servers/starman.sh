#!/bin/bash
# Starman: Net::Server's processes, made in advance.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/starman
configure() {
	file app.psgi <<-'X'
		sub { [200, ['Content-Type', 'text/plain'], ["hello from starman\n"]] }
	X
}
# shellcheck disable=SC2046 # two words for each port
launch() {
	serve /usr/bin/starman --workers 2 --enable-ssl --ssl-cert "$certificate" --ssl-key "$key" $(each_port '--listen 127.0.0.1:@:ssl') app.psgi
}
# A child ends with the handshake that failed in it (Net::Server::Proto::SSL, post_accept()), and its parent may say so.
host_log='^child process n exited with status n$'
answer='hello from starman'
run_server
