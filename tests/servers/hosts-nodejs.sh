#!/bin/bash
# Debian's Node.js, with the shared OpenSSL, and HTTP/2 where it is asked for.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
# shellcheck source=tests/servers/common/hosts.sh
source "$here/hosts.sh"
node=$unpacked/usr/bin/node
needs "$node"
configure() {
	file server.js <<-X
		const fs = require('fs');
		const names = [$(printf "'%s'," "${sites[@]}")];
		const options = { cert: fs.readFileSync('$certificate'), key: fs.readFileSync('$key'), allowHTTP1: true };
		require('http2').createSecureServer(options, (request, response) => {
			const host = (request.headers.host || '').toLowerCase().split(':')[0];
			const name = names.includes(host) ? host : names[0];
			request.on('end', () => {
				fs.appendFileSync('$canaries', name + '\\n');
				response.end('canary of ' + name + '\\n');
			}).resume();
		}).on('error', () => {}).listen(${ports[0]}, '127.0.0.1');
	X
}
launch() { serve "$node" server.js; }
run_hosts
