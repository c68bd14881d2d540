#!/bin/bash
# Debian's Node.js with HTTP/2.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
# shellcheck source=tests/servers/common/node.sh
source "$here/node.sh"
node=$(debians_node)
needs "$node"
configure() {
	file server.js <<-'X'
		const http2 = require("http2"), fs = require("fs"), [cert, key, ...ports] = process.argv.slice(2);
		const options = { cert: fs.readFileSync(cert), key: fs.readFileSync(key) };
		for (const port of ports)
			http2.createSecureServer(options, (_, reply) => reply.end("hello from node\n")).listen(+port, "127.0.0.1");
	X
}
launch() { serve "$node" server.js "$certificate" "$key" "${ports[@]}"; }
alpn=h2 request=$http2_request answer='hello from node'
run_server
