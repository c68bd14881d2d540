#!/bin/bash
# GnuTLS's own server.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs gnutls-serv
ports_wanted=1
configure() { :; }
launch() { serve gnutls-serv --http --disable-client-cert -p "${ports[0]}" --x509keyfile "$key" --x509certfile "$certificate"; }
cover=none answer='GnuTLS'
run_server
