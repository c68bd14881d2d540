#!/bin/bash
# A Node.js that carries an OpenSSL inside itself and exports its functions: that of NodeSource, or of npm's package.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
# shellcheck source=tests/servers/common/node.sh
source "$here/node.sh"
node=
for candidate in "$machine/usr/bin/node" "$unpacked/../node/bin/node"; do
	if [[ -x $candidate ]] && has_own_openssl "$candidate"; then node=$candidate; fi
done
needs "${node:-a Node.js with an OpenSSL of its own}"
run_server
