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
		ServerName localhost
		User #65534
		Group #65534
		Define modules /usr/lib/apache2/modules
		LoadModule mpm_${processing}_module \${modules}/mod_mpm_$processing.so
		LoadModule authz_core_module \${modules}/mod_authz_core.so
		LoadModule dir_module \${modules}/mod_dir.so
		LoadModule mime_module \${modules}/mod_mime.so
		LoadModule socache_shmcb_module \${modules}/mod_socache_shmcb.so
		LoadModule ssl_module \${modules}/mod_ssl.so
		LoadModule http2_module \${modules}/mod_http2.so
		TypesConfig mime.types
		Mutex file:run default
		Protocols $protocols
		SSLSessionCache shmcb:run/sessions(64000)
		GracefulShutdownTimeout 2
		$(each_port 'Listen 127.0.0.1:@')
		SSLEngine on
		SSLCertificateFile $certificate
		SSLCertificateKeyFile $key
		DocumentRoot www
		<Directory $work/www>
			Require all granted
		</Directory>
	X
}
launch() { serve apache2 -d "$work" -f apache.conf -D FOREGROUND; }
