#!/bin/bash
# Debian's Node.js, with the shared OpenSSL, and HTTP/2 where it is asked for.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
# shellcheck source=tests/servers/common/hosts.sh
source "$here/hosts.sh"
# shellcheck source=tests/servers/common/node.sh
source "$here/node.sh"
node=$(debians_node)
needs "$node" /usr/share/nodejs/ws
configure() {
	file server.js <<-X
		const fs = require('fs');
		const names = [$(printf "'%s'," "${sites[@]}")];
		const options = { cert: fs.readFileSync('$certificate'), key: fs.readFileSync('$key'), allowHTTP1: true };
		const large = Buffer.alloc(10 << 20);
		const events = (response, name, number) => {
			if (number == 5) return response.end();
			response.write('data: ' + number + ' of ' + name + '\\n\\n');
			setTimeout(events, 100, response, name, number + 1);
		};
		const server = require('http2').createSecureServer(options, (request, response) => {
			const host = (request.headers.host || '').toLowerCase().split(':')[0];
			const name = names.includes(host) ? host : names[0];
			request.on('end', () => {
				fs.appendFileSync('$canaries', name + '\\n');
				if (request.url == '/events') return events(response, name, 0);
				const text = Buffer.from('canary of ' + name + '\\n');
				response.end(request.url == '/large' ? Buffer.concat([text, large]) : text);
			}).resume();
		}).on('error', () => {}).listen(${ports[0]}, '127.0.0.1');
		new (require('ws').Server)({ server, path: '/socket' }).on('connection', (socket) =>
			socket.on('message', (data, binary) => socket.send(data, { binary })));
	X
}
launch() { serve "$node" server.js; }
run_hosts
