#!/bin/bash
# Apache with four sites on one port.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
# shellcheck source=tests/servers/common/hosts.sh
source "$here/hosts.sh"
needs apache2 /usr/lib/apache2/modules/mod_ssl.so
configure() {
	local site
	mkdir -p "$work/run"
	for site in "${sites[@]}"; do
		mkdir -p "$work/$site"
		echo "canary of $site" >"$work/$site/index.html"
	done
	echo 'text/html html' | file mime.types
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
			ErrorDocument 405 \"canary of @\"
		</VirtualHost>")
	X
}
launch() { serve apache2 -d "$work" -f apache.conf -D FOREGROUND; }
run_hosts
