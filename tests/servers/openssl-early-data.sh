#!/bin/bash
# openssl s_server that takes early data, and drives OpenSSL by the functions for it; it sends what it finds in a pipe.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs openssl
ports_wanted=1
configure() { echo 'while sleep 0.2; do echo hello from a pipe; done | openssl s_server -quiet -early_data "$@"' | file pipe.sh; }
launch() { serve bash pipe.sh -accept "127.0.0.1:${ports[0]}" -cert "$certificate" -key "$key"; }
versions=1.3 request='' answer='hello from a pipe'
run_server
