# shellcheck shell=bash
# refusals.sh - `tests/servers/NAME.sh refusals`: refusals in a row, 200 or REFUSALS, by each answer do what they say, leave nothing in the
# server, and are no requests to it.  Of the server it asks, besides what driver.sh wants:
#
#   access_line          a regular expression: what it logs for a request, in its log or in $work/access
#   sessions_request     a request that has it say how many sessions it keeps, and in `sessions` what matches, before a number
#   http2                yes: it offers h2
access_line='' sessions_request='' sessions='' http2=''

requests_logged() { cat "$work/server.log" "$work/access" 2>/dev/null | grep -cE "$access_line"; }

# The edge comes last, so that what was logged late is counted too.
edge_is_next_in_its_log() { # REQUESTS-BEFORE CERTIFICATE|''
	local turn
	see "${ports[0]}" "$2"
	is 'the answer' "$saw_answered" yes || return
	for ((turn = 0; turn < 120; turn++)); do
		if (($(requests_logged) > $1)); then break; fi
		sleep 0.05
	done
	is 'the number of requests in its log' "$(requests_logged)" $(($1 + 1))
}

keeps_sessions() { # REGEX CERTIFICATE|''
	local request=$sessions_request answer=$sessions$1
	see "${ports[0]}" "$2"
	is 'the number that is shown' "$saw_answered" yes
}

refuses_in_a_row() { # ANSWER
	local options=()
	if [[ $alerts == no ]]; then options=(--keeps-alerts); fi
	/usr/bin/python3 -IS "$here/refusals.py" "${ports[0]}" "$1" "$server" "$work/ca" ${options[@]+"${options[@]}"}
}

shows_curl() { # STATUS
	local seen
	seen=$(curl -sk -m 10 --http2 -o /dev/null -w '%{http_code} %{http_version}' "https://127.0.0.1:${ports[0]}/") || return
	is 'what curl shows' "$seen" "$1 2"
}

run_refusals() {
	local refuse before
	start_or_give_up 'without the shim' ''
	check "$name, without the shim, logs a stranger's request" edge_is_next_in_its_log "$(requests_logged)" ''
	if [[ -n $sessions ]]; then check "$name, without the shim, keeps sessions" keeps_sessions '[1-9]' ''; fi
	stop
	for refuse in 'reject 403' close 'close reset' reject; do
		start_or_give_up "with the shim, told to $refuse" \
			"$(printf '[port %s]\nca = %s\nrefuse = %s\n' "${ports[0]}" "$work/ca/ca.pem" "$refuse")"
		before=$(requests_logged)
		check "$name, told to $refuse, does so ${REFUSALS:-200} times in a row, and keeps nothing of it" refuses_in_a_row "$refuse"
		if [[ -n $http2 && $refuse == 'reject 403' ]]; then check "$name, told to $refuse, has curl show it over HTTP/2" shows_curl 403; fi
		check "$name, told to $refuse, logs the edge's request, and none that was refused" edge_is_next_in_its_log "$before" edge
		if [[ -n $sessions ]]; then check "$name, told to $refuse, keeps no session" keeps_sessions 0 edge; fi
		stop
	done
}
