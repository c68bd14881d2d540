#!/bin/bash
# A program that is static as a whole: no library can be preloaded.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs gcc "/usr/lib/$multiarch/libssl.a"
configure() { gcc -O1 -static -o "$work/static" "$here/static.c" -lssl -lcrypto -ldl -pthread 2>"$work/gcc.log"; }
launch() { serve ./static "$certificate" "$key" "${ports[@]}"; }
cover=unreachable answer='hello from a static OpenSSL'
run_server
