# shellcheck shell=bash
# apache.sh - Apache, which gives OpenSSL memory and moves the bytes itself.  $processing: event, worker, prefork;
# $protocols: what ALPN offers.
needs apache2 /usr/lib/apache2/modules/mod_ssl.so
configure() {
	mkdir -p "$work/www" "$work/run"
	echo 'hello from apache' >"$work/www/index.html"
	echo 'text/html html' | file mime.types
	file apache.conf <<-X
		ServerRoot $work
		DefaultRuntimeDir run
		PidFile run/pid
		ErrorLog /dev/stderr
		CustomLog access "%r"
		ServerName localhost
		User #65534
		Group #65534
		Define modules /usr/lib/apache2/modules
		Define workers $([[ $processing == prefork ]] && echo 2 || echo 16)
		LoadModule mpm_${processing}_module \${modules}/mod_mpm_$processing.so
		LoadModule authz_core_module \${modules}/mod_authz_core.so
		LoadModule dir_module \${modules}/mod_dir.so
		LoadModule mime_module \${modules}/mod_mime.so
		LoadModule socache_shmcb_module \${modules}/mod_socache_shmcb.so
		LoadModule ssl_module \${modules}/mod_ssl.so
		LoadModule http2_module \${modules}/mod_http2.so
		LoadModule status_module \${modules}/mod_status.so
		TypesConfig mime.types
		Mutex file:run default
		Protocols $protocols
		SSLSessionCache shmcb:run/sessions(64000)
		GracefulShutdownTimeout 2
		ServerLimit 2
		StartServers 2
		MaxRequestWorkers \${workers}
		<IfModule !mpm_prefork_module>
			ThreadsPerChild 8
			MinSpareThreads 8
			MaxSpareThreads 16
		</IfModule>
		$(each_port 'Listen 127.0.0.1:@')
		SSLEngine on
		SSLCertificateFile $certificate
		SSLCertificateKeyFile $key
		DocumentRoot www
		<Directory $work/www>
			Require all granted
		</Directory>
		<Location /status>
			SetHandler server-status
		</Location>
	X
}
launch() { serve apache2 -d "$work" -f apache.conf -D FOREGROUND; }
# shellcheck disable=SC2034 # for refusals.sh
access_line='^GET / ' sessions_request='GET /status?auto HTTP/1.0\r\nHost: localhost\r\n\r\n' sessions='CacheCurrentEntries: '
