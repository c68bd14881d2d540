#!/bin/bash
# Debian's Node.js, with the shared OpenSSL; it moves the bytes itself.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
# shellcheck source=tests/servers/common/node.sh
source "$here/node.sh"
node=$(debians_node)
needs "$node"
run_server
