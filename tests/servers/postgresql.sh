#!/bin/bash
# PostgreSQL, which gives OpenSSL a BIO of its own: TLS behind an SSLRequest.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
candidates=(/usr/lib/postgresql/*/bin)
bin=${candidates[-1]}
needs "$bin/initdb" setpriv
ports_wanted=1
nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
configure() {
	mkdir "$work/data"
	cp "$key" "$work/postgresql.key"
	chown 65534:65534 "$work/data" "$work/postgresql.key"
	chmod 600 "$work/postgresql.key"
	env HOME="$work" "${nobody[@]}" "$bin/initdb" -D "$work/data" -A trust -U postgres --no-sync >"$work/initdb.log" 2>&1 || return
	echo 'hostssl all all 127.0.0.1/32 trust' >"$work/data/pg_hba.conf"
}
launch() {
	serve "${nobody[@]}" "$bin/postgres" -D "$work/data" -h 127.0.0.1 -p "${ports[0]}" -k '' -c ssl=on -c ssl_cert_file="$certificate" \
		-c ssl_key_file="$work/postgresql.key" -c fsync=off -c log_checkpoints=off
}
starttls=postgres stop_signal=INT
request='\x00\x00\x00\x29\x00\x03\x00\x00user\x00postgres\x00database\x00postgres\x00\x00' answer='server_version'
run_server
