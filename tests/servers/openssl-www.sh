#!/bin/bash
# openssl s_server with its status page.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs openssl
ports_wanted=1
configure() { :; }
launch() { serve openssl s_server -accept "127.0.0.1:${ports[0]}" -cert "$certificate" -key "$key" -www; }
answer='Ciphers supported in s_server'
run_server
