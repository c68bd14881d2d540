#!/bin/bash
# Ruby's OpenSSL::SSL::SSLServer, which accepts without blocking.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/ruby
configure() {
	file server.rb <<-'X'
		require "openssl"
		require "socket"
		certificate, key, *ports = ARGV
		context = OpenSSL::SSL::SSLContext.new
		context.cert = OpenSSL::X509::Certificate.new(File.read(certificate))
		context.key = OpenSSL::PKey.read(File.read(key))
		def accept(plain, context)
		  tls = OpenSSL::SSL::SSLSocket.new(plain, context)
		  tls.sync_close = true
		  begin
		    tls.accept_nonblock
		  rescue IO::WaitReadable
		    plain.wait_readable
		    retry
		  end
		  tls.gets
		  tls.write("hello from ruby\n")
		rescue OpenSSL::SSL::SSLError, SystemCallError, IOError => error
		  warn(error.message)
		ensure
		  plain.close
		end
		ports.map do |port|
		  listener = TCPServer.new("127.0.0.1", port.to_i)
		  Thread.new { loop { Thread.new(listener.accept) { |plain| accept(plain, context) } } }
		end.each(&:join)
	X
}
launch() { serve /usr/bin/ruby server.rb "$certificate" "$key" "${ports[@]}"; }
stop_signal=KILL request='hello\n' answer='hello from ruby'
run_server
