#!/bin/bash
# Debian's Node.js, with the shared OpenSSL; it moves the bytes itself.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
node=$unpacked/usr/bin/node
needs "$node"
# shellcheck source=tests/servers/common/node.sh
source "$here/node.sh"
run_server
