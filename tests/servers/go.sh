#!/bin/bash
# Go's net/http: its own TLS, and system calls without libc.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
candidates=(/usr/lib/go-*/bin/go)
go=$(command -v go || echo "${candidates[-1]}")
needs "$go"
configure() {
	file server.go <<-'X'
		package main
		import ("fmt"; "net/http"; "os")
		func main() {
			http.HandleFunc("/", func(reply http.ResponseWriter, request *http.Request) { fmt.Fprintln(reply, "hello from go") })
			for _, port := range os.Args[3:] { go http.ListenAndServeTLS("127.0.0.1:" + port, os.Args[1], os.Args[2], nil) }
			select {}
		}
	X
	(cd "$work" && HOME=$work GOCACHE=$work/cache CGO_ENABLED=0 GO111MODULE=off "$go" build -o server server.go)
}
launch() { serve ./server "$certificate" "$key" "${ports[@]}"; }
cover=unreachable answer='hello from go'
run_server
