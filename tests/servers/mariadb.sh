#!/bin/bash
# MariaDB: TLS behind a packet that asks for it.
# It asks for client certificates by itself, and what it cannot verify it refuses with and without the shim: it gets the CAs.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs mariadbd mariadb-install-db
ports_wanted=1
configure() {
	user mysql 980
	mkdir "$work/data"
	chown mysql "$work/data"
	mariadb-install-db --no-defaults --user=mysql --datadir="$work/data" --auth-root-authentication-method=normal --skip-test-db \
		>"$work/install.log" 2>&1 || return
	echo "CREATE USER IF NOT EXISTS t@'127.0.0.1' REQUIRE SSL;" | file init.sql
}
launch() {
	serve mariadbd --no-defaults --user=mysql --datadir="$work/data" --socket="$work/data/socket" --pid-file="$work/data/pid" \
		--port="${ports[0]}" --bind-address=127.0.0.1 --ssl-cert="$certificate" --ssl-key="$key" --ssl-ca="$edges" --init-file="$work/init.sql" \
		--skip-name-resolve --innodb-buffer-pool-size=8M --innodb-flush-log-at-trx-commit=0 --tls-version=TLSv1.2,TLSv1.3
}
# The login of t, without a password; it wants that once more in another form, which is an answer.
starttls=mysql request='\x24\x00\x00\x02\x00\x8a\x08\x00\x00\x00\x00\x01\x2d\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00t\x00\x00\x00'
answer='mysql_native_password' host_log='InnoDB|mariadbd|Aborted|Version:'
run_server
