#!/bin/bash
# nginx with HTTP/2.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs nginx
configure() {
	file nginx.conf <<-X
		daemon off; pid nginx.pid; error_log stderr info; user nobody nogroup;
		events {}
		http {
			access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
			ssl_certificate $certificate; ssl_certificate_key $key; ssl_protocols TLSv1.2 TLSv1.3;
			$(each_port 'server { listen 127.0.0.1:@ ssl http2; location / { return 200 "hello from nginx\\n"; } }')
		}
	X
}
launch() { serve nginx -p "$work" -e stderr -c nginx.conf; }
alpn=h2 request=$http2_request answer='hello from nginx'
run_server
