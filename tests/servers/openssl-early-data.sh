#!/bin/bash
# openssl s_server that takes early data, and drives OpenSSL by the functions for it; it says what comes of each connection.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs openssl
ports_wanted=1
configure() { :; }
launch() { serve openssl s_server -accept "127.0.0.1:${ports[0]}" -cert "$certificate" -key "$key" -early_data; }
versions=1.3 request='hello\n' answer='hello'
run_server
