#!/bin/bash
# h2o, by its Debian package.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs h2o
configure() {
	mkdir -p "$work/www"
	mkdir -m 777 "$work/run"
	echo 'hello from h2o' >"$work/www/index.html"
	file h2o.conf <<-X
		user: nobody
		pid-file: $work/run/pid
		error-log: /dev/stderr
		num-threads: 2
		$(each_port "listen: {host: 127.0.0.1, port: @, ssl: {certificate-file: $certificate, key-file: $key, ocsp-update-interval: 0}}")
		hosts: { default: { paths: { /: { file.dir: $work/www } } } }
	X
}
launch() { serve h2o -c h2o.conf; }
answer='hello from h2o'
alerts=no
run_server
