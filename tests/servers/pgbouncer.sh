#!/bin/bash
# PgBouncer, by libtls over libssl: TLS behind an SSLRequest; it is asked for its version, as its own database.
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
		auth_user = any
		admin_users = postgres
		client_tls_sslmode = allow
		client_tls_cert_file = $certificate
		client_tls_key_file = $key
		user = nobody
	X
	sed -i '/^auth_user/d' "$work/pgbouncer.ini"
}
launch() { serve pgbouncer pgbouncer.ini; }
starttls=postgres
request='\x00\x00\x00\x2a\x00\x03\x00\x00user\x00postgres\x00database\x00pgbouncer\x00\x00' answer='server_version'
run_server
