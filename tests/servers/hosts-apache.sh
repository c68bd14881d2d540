#!/bin/bash
# Apache with four sites on one port.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
# shellcheck source=tests/servers/common/hosts.sh
source "$here/hosts.sh"
needs apache2 /usr/lib/apache2/modules/mod_ssl.so /usr/bin/uvicorn
configure() {
	local site
	mkdir -p "$work/run"
	large_files
	for site in "${sites[@]}"; do
		echo "canary of $site" >"$work/$site/index.html"
	done
	echo 'text/html html' | file mime.types
}
launch() {
	upstream_streams || return
	file apache.conf <<-X
		ServerRoot $work
		DefaultRuntimeDir run
		PidFile run/pid
		ErrorLog $work/errors
		ServerName localhost
		User #65534
		Group #65534
		Define modules /usr/lib/apache2/modules
		LoadModule mpm_event_module \${modules}/mod_mpm_event.so
		LoadModule authz_core_module \${modules}/mod_authz_core.so
		LoadModule dir_module \${modules}/mod_dir.so
		LoadModule mime_module \${modules}/mod_mime.so
		LoadModule socache_shmcb_module \${modules}/mod_socache_shmcb.so
		LoadModule ssl_module \${modules}/mod_ssl.so
		LoadModule http2_module \${modules}/mod_http2.so
		LoadModule proxy_module \${modules}/mod_proxy.so
		LoadModule proxy_http_module \${modules}/mod_proxy_http.so
		TypesConfig mime.types
		Mutex file:run default
		Protocols h2 http/1.1
		SSLSessionCache shmcb:run/sessions(64000)
		GracefulShutdownTimeout 2
		MaxKeepAliveRequests 0
		Listen 127.0.0.1:${ports[0]}
		SSLCertificateFile $certificate
		SSLCertificateKeyFile $key
		# A static page answers to GET alone.
		CustomLog $canaries "%200,405v"
		<Directory $work>
			Require all granted
		</Directory>
		$(each_site "<VirtualHost 127.0.0.1:${ports[0]}>
			SSLEngine on
			ServerName @
			DocumentRoot $work/@
			FallbackResource /index.html
			ProxyPreserveHost On
			ProxyPass /events http://127.0.0.1:${port_of[streams]}/events flushpackets=on
			ProxyPass /socket http://127.0.0.1:${port_of[streams]}/socket upgrade=websocket
			ErrorDocument 405 \"canary of @\"
		</VirtualHost>")
	X
	serve apache2 -d "$work" -f apache.conf -D FOREGROUND
}
run_hosts
