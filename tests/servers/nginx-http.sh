#!/bin/bash
# nginx with HTTP/1, two workers that are not root, and a session cache that they share.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs nginx
configure() {
	file nginx.conf <<-X
		daemon off; pid nginx.pid; error_log stderr info; worker_processes 2; user nobody nogroup;
		events {}
		http {
			access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
			ssl_certificate $certificate; ssl_certificate_key $key; ssl_protocols TLSv1.2 TLSv1.3;
			ssl_session_cache shared:all:1m;
			$(each_port 'server { listen 127.0.0.1:@ ssl; location / { return 200 "hello from nginx\\n"; } }')
		}
	X
}
launch() { serve nginx -p "$work" -e stderr -c nginx.conf; }
answer='hello from nginx'
run_server
