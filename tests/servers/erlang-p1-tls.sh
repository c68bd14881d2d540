#!/bin/bash
# Erlang's fast_tls, as in ejabberd: OpenSSL in a loaded module, and in memory.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs erl /usr/lib/erlang
configure() {
	file greeter.erl <<-'X'
		-module(greeter).
		-export([main/1]).
		main([Pair | Ports]) ->
		    {ok, _} = application:ensure_all_started(fast_tls),
		    [spawn(fun() -> listen(Pair, list_to_integer(Port)) end) || Port <- Ports],
		    receive stop -> ok end.
		listen(Pair, Port) ->
		    {ok, Listener} = gen_tcp:listen(Port, [binary, {ip, {127, 0, 0, 1}}, {active, false}, {reuseaddr, true}, {backlog, 64}]),
		    accept(Pair, Listener).
		accept(Pair, Listener) ->
		    {ok, Socket} = gen_tcp:accept(Listener),
		    Owner = spawn(fun() -> receive go -> serve(Pair, Socket) end end),
		    ok = gen_tcp:controlling_process(Socket, Owner),
		    Owner ! go,
		    accept(Pair, Listener).
		serve(Pair, Socket) ->
		    {ok, Tls} = fast_tls:tcp_to_tls(Socket, [{certfile, Pair}, verify_none]),
		    request(Tls).
		request(Tls) ->
		    case fast_tls:recv(Tls, 0, 10000) of
		        {ok, <<>>} -> request(Tls);
		        {ok, _} -> fast_tls:send(Tls, <<"HTTP/1.0 200 OK\r\n\r\nhello from erlang\n">>), fast_tls:close(Tls);
		        {error, _} -> fast_tls:close(Tls)
		    end.
	X
	(cd "$work" && erlc greeter.erl)
}
launch() { serve erl -noshell -noinput -run greeter main "$pair" "${ports[@]}"; }
start_limit=40 answer='hello from erlang'
alerts=no
run_server
