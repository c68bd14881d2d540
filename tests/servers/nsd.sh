#!/bin/bash
# NSD: DNS over TLS by its own processes.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs nsd
ports_wanted=1
# shellcheck source=tests/servers/common/dns.sh
source "$here/dns.sh"
configure() {
	mkdir -m 777 "$work/nsd"
	echo "$zone" >"$work/nsd/zone"
	file nsd.conf <<-X
		server:
		  ip-address: 127.0.0.1@${ports[0]}
		  port: ${ports[0]}
		  tls-port: ${ports[0]}
		  tls-service-key: $key
		  tls-service-pem: $certificate
		  username: nobody
		  zonesdir: "$work/nsd"
		  database: ""
		  pidfile: "$work/nsd/pid"
		  xfrdfile: "$work/nsd/xfrd"
		  zonelistfile: "$work/nsd/zones"
		  xfrdir: "$work/nsd"
		  server-count: 1
		remote-control:
		  control-enable: no
		zone:
		  name: example.org
		  zonefile: zone
	X
}
launch() { serve nsd -d -c "$work/nsd.conf"; }
run_server
