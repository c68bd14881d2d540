#!/bin/bash
# Squid as a reverse proxy.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs squid
configure() { mkdir -m 777 "$work/squid"; }
launch() {
	upstream
	file squid.conf <<-X
		$(each_port "https_port 127.0.0.1:@ accel defaultsite=localhost tls-cert=$certificate tls-key=$key")
		cache_peer 127.0.0.1 parent $spare 0 no-query originserver no-netdb-exchange
		http_access allow all
		cache deny all
		cache_effective_user nobody
		cache_effective_group nogroup
		pid_filename $work/squid/pid
		cache_log stdio:/dev/stderr
		access_log none
		cache_store_log none
		coredump_dir $work/squid
		shutdown_lifetime 0 seconds
		visible_hostname localhost
		pinger_enable off
	X
	serve squid -N -f squid.conf
}
answer='hello from upstream'
run_server
