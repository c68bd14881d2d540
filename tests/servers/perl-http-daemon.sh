#!/bin/bash
# Perl's HTTP::Daemon::SSL, by IO::Socket::SSL; one process.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/perl /usr/share/perl5/HTTP/Daemon/SSL.pm
ports_wanted=1
configure() {
	file server.pl <<-'X'
		use HTTP::Daemon::SSL; use HTTP::Response; $SIG{PIPE} = 'IGNORE';
		my $listener = HTTP::Daemon::SSL->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[2], ReuseAddr => 1,
			SSL_cert_file => $ARGV[0], SSL_key_file => $ARGV[1], SSL_verify_mode => 0) or die $!;
		while (1) {
			my $connection = $listener->accept or next;
			if ($connection->get_request) { $connection->send_response(HTTP::Response->new(200, 'OK', [], "hello from perl\n")) }
			$connection->close;
		}
	X
}
launch() { serve /usr/bin/perl server.pl "$certificate" "$key" "${ports[0]}"; }
answer='hello from perl'
run_server
