#!/bin/bash
# openssl s_server that turns each line round, without blocking.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs openssl
ports_wanted=1
configure() { :; }
launch() { serve openssl s_server -accept "127.0.0.1:${ports[0]}" -cert "$certificate" -key "$key" -rev -nbio; }
request='hello\n' answer='olleh'
run_server
