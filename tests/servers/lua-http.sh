#!/bin/bash
# lua-http, by luaossl, with HTTP/2 and a loop of its own.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/lua5.2 /usr/share/lua/5.2/http/server.lua
configure() {
	file server.lua <<-'X'
		local cqueues, server, headers = require "cqueues", require "http.server", require "http.headers"
		local context, x509, pkey = require "http.tls".new_server_context(), require "openssl.x509", require "openssl.pkey"
		local function read(name) local f = assert(io.open(name)); local text = f:read "*a"; f:close(); return text end
		context:setCertificate(x509.new(read(arg[1])))
		context:setPrivateKey(pkey.new(read(arg[2])))
		local loop = cqueues.new()
		for i = 3, #arg do
			local one = assert(server.listen {host = "127.0.0.1", port = tonumber(arg[i]), tls = true, ctx = context,
				onerror = function(_, _, what, problem) io.stderr:write("tls: ", what, " ", tostring(problem), "\n") end,
				onstream = function(_, stream)
					if not stream:get_headers() then return end
					local reply = headers.new()
					reply:append(":status", "200")
					stream:write_headers(reply, false)
					stream:write_chunk("hello from lua-http\n", true)
				end})
			assert(one:listen())
			loop:wrap(function() assert(one:loop()) end)
		end
		assert(loop:loop())
	X
}
launch() { serve /usr/bin/lua5.2 server.lua "$certificate" "$key" "${ports[@]}"; }
alpn=h2 request=$http2_request answer='hello from lua-http'
run_server
