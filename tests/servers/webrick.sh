#!/bin/bash
# WEBrick, by Ruby's openssl.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/ruby /usr/share/rubygems-integration/all/gems
configure() {
	file server.rb <<-'X'
		require "webrick"
		require "webrick/https"
		certificate, key, *ports = ARGV
		ports.map do |port|
		  server = WEBrick::HTTPServer.new(BindAddress: "127.0.0.1", Port: port.to_i, SSLEnable: true,
		    SSLCertificate: OpenSSL::X509::Certificate.new(File.read(certificate)), SSLPrivateKey: OpenSSL::PKey.read(File.read(key)),
		    AccessLog: [], Logger: WEBrick::Log.new($stderr, WEBrick::BasicLog::WARN))
		  server.mount_proc("/") { |_, reply| reply.body = "hello from webrick\n" }
		  Thread.new { server.start }
		end.each(&:join)
	X
}
launch() { serve /usr/bin/ruby server.rb "$certificate" "$key" "${ports[@]}"; }
stop_signal=KILL answer='hello from webrick'
run_server
