# shellcheck shell=bash
# node.sh - an HTTPS server of Node.js.  $node: which one.
configure() {
	file server.js <<-'X'
		const https = require("https"), fs = require("fs"), [cert, key, ...ports] = process.argv.slice(2);
		const options = { cert: fs.readFileSync(cert), key: fs.readFileSync(key) };
		setInterval(gc, 200); // it would free what is over when it pleases
		for (const port of ports)
			https.createServer(options, (request, reply) => {
				console.log("asked: " + request.method);
				reply.end("hello from node\n");
			}).listen(+port, "127.0.0.1");
	X
}
launch() { serve "$node" --expose-gc server.js "$certificate" "$key" "${ports[@]}"; }
answer='hello from node' access_line='^asked: GET'
