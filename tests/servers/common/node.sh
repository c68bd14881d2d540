# shellcheck shell=bash
# node.sh - an HTTPS server of Node.js.  $node: which one.
has_own_openssl() { nm -D "$1" 2>/dev/null | grep ' T SSL_CTX_new$' >/dev/null; } # PROGRAM
# Debian's, with the shared OpenSSL: what the machine has may be another's.
debians_node() {
	local candidate
	for candidate in "$unpacked/usr/bin/node" /usr/bin/node; do
		if [[ -x $candidate ]] && ! has_own_openssl "$candidate"; then
			echo "$candidate"
			return
		fi
	done
	echo 'a Node.js with the shared OpenSSL'
}
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
