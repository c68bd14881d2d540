#!/bin/bash
# h2o, by its Debian package: TLS 1.3 is that of picotls, TLS 1.2 that of OpenSSL.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs h2o
configure() {
	mkdir -p "$work/www"
	echo 'hello from h2o' >"$work/www/index.html"
	file h2o.conf <<-X
		{
		  user: nobody, pid-file: $work/h2o.pid, error-log: /dev/stderr, num-threads: 2,
		  listen: [
		    $(each_port "{host: 127.0.0.1, port: @, ssl: {certificate-file: $certificate, key-file: $key, ocsp-update-interval: 0, minimum-version: TLSv1.2}},")
		  ],
		  hosts: { default: { paths: { /: { file.dir: $work/www } } } }
		}
	X
}
launch() { serve h2o -c h2o.conf; }
answer='hello from h2o'
run_server
