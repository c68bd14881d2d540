#!/bin/bash
# nghttpx, a proxy for HTTP/2.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs nghttpx
configure() { :; }
launch() {
	local port frontends=()
	upstream
	for port in "${ports[@]}"; do frontends+=(--frontend="127.0.0.1,$port"); done
	serve nghttpx --conf=/dev/null "${frontends[@]}" --backend="127.0.0.1,$spare" --workers=2 --errorlog-file=/dev/stderr \
		--no-ocsp --user=nobody "$key" "$certificate"
}
alpn=h2 request=$http2_request answer='hello from upstream'
run_server
