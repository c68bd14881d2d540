#!/bin/bash
# Perl's Net::Server, forked, with SSL as its protocol.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/perl /usr/share/perl5/Net/Server.pm /usr/share/perl5/IO/Socket/SSL.pm
configure() {
	file server.pl <<-'X'
		package Greeter; use base 'Net::Server::Fork';
		sub process_request { my $line = <STDIN>; print "hello from Net::Server, $line" }
		my ($certificate, $key, @ports) = @ARGV;
		Greeter->run(host => '127.0.0.1', port => [map { { port => $_, proto => 'ssl' } } @ports], ipv => 4,
			SSL_cert_file => $certificate, SSL_key_file => $key, user => 'nobody', group => 'nogroup');
	X
}
launch() { serve /usr/bin/perl server.pl "$certificate" "$key" "${ports[@]}"; }
request='you\n' answer='hello from Net::Server, you'
run_server
