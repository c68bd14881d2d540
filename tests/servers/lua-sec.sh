#!/bin/bash
# LuaSec, one port after another in one process.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/lua5.4 /usr/share/lua/5.4/ssl.lua
configure() {
	file server.lua <<-'X'
		local socket, ssl = require "socket", require "ssl"
		local context = assert(ssl.newcontext {mode = "server", protocol = "any", certificate = arg[1], key = arg[2], verify = "none",
			options = {"all"}})
		local listeners = {}
		for i = 3, #arg do listeners[#listeners + 1] = assert(socket.bind("127.0.0.1", tonumber(arg[i]))) end
		while true do
			for _, listener in ipairs(socket.select(listeners)) do
				local plain = listener:accept()
				plain:settimeout(5)
				local connection = assert(ssl.wrap(plain, context))
				if connection:dohandshake() and connection:receive("*l") then
					connection:send("HTTP/1.0 200 OK\r\n\r\nhello from luasec\n")
				end
				connection:close()
			end
		end
	X
}
launch() { serve /usr/bin/lua5.4 server.lua "$certificate" "$key" "${ports[@]}"; }
answer='hello from luasec'
run_server
