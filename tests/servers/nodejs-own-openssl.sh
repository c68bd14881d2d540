#!/bin/bash
# A Node.js that carries an OpenSSL inside itself and exports its functions: that of NodeSource, or of npm's package.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
node=
for candidate in "$machine/usr/bin/node" "$unpacked/../node/bin/node"; do
	if [[ -x $candidate ]] && nm -D "$candidate" 2>/dev/null | grep ' T SSL_CTX_new$' >/dev/null; then node=$candidate; fi
done
needs "${node:-a Node.js with an OpenSSL of its own}"
# shellcheck source=tests/servers/common/node.sh
source "$here/node.sh"
run_server
