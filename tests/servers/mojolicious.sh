#!/bin/bash
# Mojolicious, whose loop gives IO::Socket::SSL sockets that do not block.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/perl /usr/share/perl5/Mojolicious.pm /usr/share/perl5/IO/Socket/SSL.pm
configure() {
	file server.pl <<-'X'
		use Mojolicious::Lite;
		get '/' => { text => "hello from mojolicious\n" };
		app->start;
	X
}
# shellcheck disable=SC2046 # two words for each port
launch() { serve /usr/bin/perl server.pl daemon -m production $(each_port "-l https://127.0.0.1:@?cert=$certificate&key=$key"); }
answer='hello from mojolicious'
run_server
