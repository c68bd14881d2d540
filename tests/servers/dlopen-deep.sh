#!/bin/bash
# A program that is linked to no OpenSSL, and looks all functions up in one that it loads, with RTLD_DEEPBIND.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs "$build/tests/process/servers/late_server"
ports_wanted=1 unseen=yes
configure() { :; }
launch() { serve "$build/tests/process/servers/late_server" "$certificate" "$key" deep "${ports[0]}"; }
answer='the answer of the server itself'
run_server
