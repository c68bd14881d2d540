#!/bin/bash
# A program with OpenSSL inside itself, whose functions it does not export.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs gcc "/usr/lib/$multiarch/libssl.a"
configure() { gcc -O1 -o "$work/static" "$here/static.c" -Wl,-Bstatic -lssl -lcrypto -Wl,-Bdynamic -ldl -pthread; }
launch() { serve ./static "$certificate" "$key" "${ports[@]}"; }
cover=none answer='hello from a static OpenSSL'
run_server
