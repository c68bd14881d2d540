#!/bin/bash
# Apache Traffic Server, which changes its BIO in the midst of the handshake.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs traffic_server
configure() { user trafficserver 961; }
launch() {
	upstream
	mkdir -p "$work/ats/etc" "$work/ats/log" "$work/ats/run" "$work/ats/cache"
	cp -r /etc/trafficserver/. "$work/ats/etc/"
	file ats/etc/records.config <<-X
		CONFIG proxy.config.http.server_ports STRING $(printf '%s:ssl:ip-in=127.0.0.1 ' "${ports[@]}")
		CONFIG proxy.config.ssl.server.cert.path STRING $work/ca
		CONFIG proxy.config.ssl.server.private_key.path STRING $work/ca
		CONFIG proxy.config.url_remap.remap_required INT 1
		CONFIG proxy.config.admin.user_id STRING trafficserver
		CONFIG proxy.config.diags.output.status STRING E
		CONFIG proxy.config.diags.output.error STRING E
		CONFIG proxy.config.log.logging_enabled INT 0
		CONFIG proxy.config.http.cache.http INT 0
		CONFIG proxy.config.exec_thread.autoconfig INT 0
		CONFIG proxy.config.exec_thread.limit INT 2
	X
	echo "map / http://127.0.0.1:$spare/" | file ats/etc/remap.config
	echo 'dest_ip=* ssl_cert_name=server.pem ssl_key_name=server.key' | file ats/etc/ssl_multicert.config
	: | file ats/etc/storage.config
	file ats/runroot.yaml <<-X
		prefix: $work/ats
		exec_prefix: /usr
		bindir: /usr/bin
		sbindir: /usr/sbin
		sysconfdir: $work/ats/etc
		libdir: /usr/lib/trafficserver
		libexecdir: /usr/lib/trafficserver/modules
		localstatedir: $work/ats/run
		runtimedir: $work/ats/run
		logdir: $work/ats/log
		cachedir: $work/ats/cache
		datadir: $work/ats/cache
		includedir: /usr/include
		mandir: /usr/share/man
		infodir: /usr/share/info
	X
	chown -R trafficserver "$work/ats"
	serve traffic_server "--run-root=$work/ats/runroot.yaml"
}
answer='hello from upstream'
run_server
