#!/bin/bash
# nginx with four sites on one port; beside it in the table, nginx that verifies by itself.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
# shellcheck source=tests/servers/common/hosts.sh
source "$here/hosts.sh"
needs nginx /usr/bin/uvicorn
site() { # NAME CA
	cat <<-X
		server {
		listen 127.0.0.1:${ports[0]} ssl http2;
		server_name $1;
		${native:+${2:+ssl_verify_client on; ssl_client_certificate $work/ca/$2;}}
		location / { default_type text/plain; return 200 "canary of $1\n"; }
		location = /large { default_type text/plain; root $work/$1; }
		location ~ ^/(events|socket) {
			proxy_pass http://127.0.0.1:${port_of[streams]};
			proxy_http_version 1.1;
			proxy_buffering off;
			proxy_set_header Host \$host;
			proxy_set_header Upgrade \$http_upgrade;
			proxy_set_header Connection \$http_connection;
		}
		}
	X
}
configure() { large_files; }
launch() {
	upstream_streams || return
	file nginx.conf <<-X
		daemon off;
		worker_processes 1;
		pid nginx.pid;
		error_log $work/errors;
		events { worker_connections 1024; }
		http {
		client_max_body_size 0;
		keepalive_requests 10000;
		map \$status \$executed { 200 1; default 0; }
		log_format canary '\$server_name';
		access_log $canaries canary if=\$executed;
		client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
		ssl_certificate $certificate;
		ssl_certificate_key $key;
		ssl_protocols TLSv1.2 TLSv1.3;
		$(site shop.example ca.pem; site other.example other-ca.pem; site direct.example ''; site blog.example '')
		}
	X
	serve nginx -p "$work" -c nginx.conf
}
by_itself="its own ssl_verify_client"
run_hosts
