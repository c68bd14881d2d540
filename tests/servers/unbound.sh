#!/bin/bash
# Unbound: DNS over TLS, threads and a chroot.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs unbound
# shellcheck source=tests/servers/common/dns.sh
source "$here/dns.sh"
configure() {
	file unbound.conf <<-X
		server:
		$(printf '  interface: 127.0.0.1@%s\n' "${ports[@]}")
		  tls-service-key: $key
		  tls-service-pem: $certificate
		$(each_port '  tls-additional-port: @')
		  username: nobody
		  chroot: "$work"
		  directory: "$work"
		  pidfile: ""
		  use-syslog: no
		  logfile: ""
		  do-daemonize: no
		  num-threads: 2
		  access-control: 127.0.0.0/8 allow
		  local-zone: "example.org." static
		  local-data: "www.example.org. A 192.0.2.7"
		  module-config: "iterator"
		remote-control:
		  control-enable: no
	X
}
launch() { serve unbound -d -c "$work/unbound.conf"; }
run_server
