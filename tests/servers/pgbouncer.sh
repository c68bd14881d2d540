#!/bin/bash
# PgBouncer, by libtls over libssl: TLS behind an SSLRequest; it is asked for its version, as its own database.
# It asks for client certificates by itself, and what it cannot verify it refuses with and without the shim: it gets the CAs.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs pgbouncer
ports_wanted=1
configure() {
	file pgbouncer.ini <<-X
		[databases]
		[pgbouncer]
		listen_addr = 127.0.0.1
		listen_port = ${ports[0]}
		unix_socket_dir =
		auth_type = any
		admin_users = postgres
		client_tls_sslmode = allow
		client_tls_cert_file = $certificate
		client_tls_key_file = $key
		client_tls_ca_file = $edges
		user = nobody
	X
}
launch() { serve pgbouncer pgbouncer.ini; }
starttls=postgres
request='\x00\x00\x00\x2a\x00\x03\x00\x00user\x00postgres\x00database\x00pgbouncer\x00\x00' answer='server_version'
run_server
