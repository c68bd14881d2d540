# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names of driver.sh, of the servers, and those that printf sets
# hosts.sh - a server of four sites on one port, two of them enforced under different CAs and two open: no request reaches a
# site that would not have admitted its connection (hosts.py has the requests), and all of the open ones' are answered.
# A server is a file that sources this one after driver.sh, and ends with `run_hosts`.  It writes the name of a site into
# $canaries for each request that the site executes, and answers "canary of NAME".
#
#   mixes       no: it does not choose by Host, so that bare, too, no request reaches another site
#   streams     what it has at /events and /socket, for streams.py to ask; it has 10 MiB behind its canary at /large
#   by_itself   what it can do about it itself, in a word: configured where $native is "yes"
#   HOSTS_ROWS  a file to which a row of tests/hosts/README.md is added
ports_wanted=1
canaries=$work/canaries
sites=(shop.example other.example direct.example blog.example)
mixes=yes by_itself='' native='' streams=(events socket)

each_site() { # FORMAT: once for each site, @ is its name
	local site
	for site in "${sites[@]}"; do printf '%s\n' "${1//@/$site}"; done
}

# Plain servers of these sites, for proxies; sets port_of[SITE].
declare -A port_of
upstream_sites() {
	local site words=()
	for site in "${sites[@]}"; do
		spare_port
		port_of[$site]=$spare
		words+=("$spare" "$site")
	done
	/usr/bin/python3 -IS "$here/sites.py" "$canaries" "${words[@]}" >"$work/upstream.log" 2>&1 </dev/null &
	for site in "${sites[@]}"; do await_port "${port_of[$site]}" || return; done
}

# The same behind one port, with all that streams_app.py has; sets port_of[streams].
upstream_streams() {
	spare_port
	port_of[streams]=$spare
	(cd "$here" && exec /usr/bin/uvicorn --host 127.0.0.1 --port "$spare" --lifespan off --ws wsproto --log-level warning streams_app:asgi) \
		>"$work/streams.log" 2>&1 </dev/null &
	await_port "$spare"
}

# $work/SITE/large, for servers of files.
large_files() {
	local site
	for site in "${sites[@]}"; do
		mkdir -p "$work/$site"
		{ echo "canary of $site" && head -c 10485760 /dev/zero; } >"$work/$site/large"
	done
}

policy_of_sites() {
	printf '[port %s]\nca = %s\n' "${ports[0]}" "$work/ca/ca.pem"
	printf '[port %s server other.example]\nca = %s\n' "${ports[0]}" "$work/ca/other-ca.pem"
	printf '[port %s server direct.example]\nverify = off\n' "${ports[0]}"
	printf '[port %s server blog.example]\nverify = off\n' "${ports[0]}"
}

# Sets count, good, answered_LANE, hits_LANE.
measure() {
	local lane answered hits
	for lane in open own; do
		read -r count good answered hits < <(/usr/bin/python3 -IS "$here/hosts.py" "${ports[0]}" "$work/ca" "$canaries" $lane --show \
			2> >(tee -a "$work/hosts.log" >&2)) || return
		printf -v "answered_$lane" '%s' "$answered"
		printf -v "hits_$lane" '%s' "$hits"
		echo "$lane: $count requests, $good well-formed, $answered answered, $hits by another site"
	done
}

row() { # WORD
	if [[ -n ${HOSTS_ROWS:-} ]]; then
		echo "| $name, $1 | $((2 * count)) | $((answered_open + answered_own)) of $((2 * good)) | $hits_open | $hits_own |" >>"$HOSTS_ROWS"
	fi
}

lets_in() { ((hits_open > 0 && hits_own > 0)); }
keeps_out() {
	echo "by another site: $hits_open, $hits_own"
	((hits_open == 0 && hits_own == 0))
}
answers_the_same() {
	tail -n 20 "$work/hosts.log"
	echo "answered: $answered_open and $answered_own, bare $bare_open and $bare_own, of $good"
	((answered_open == bare_open && answered_own == bare_own))
}
says_why() {
	tail -n 5 "$work/shim.log"
	grep -q "refused reason=server-name port=${ports[0]} peer=127.0.0.1:.* answer=\"reject 421\"" "$work/shim.log"
}
converses() {
	local right lane=long
	if [[ $mixes == no ]]; then lane=long-each; fi
	right=$(/usr/bin/python3 -IS "$here/hosts.py" "${ports[0]}" "$work/ca" "$canaries" "$lane") || return
	echo "$right of 1004 were answered"
	((right == 1004))
}
streams() {
	local right
	right=$(/usr/bin/python3 -I "$here/streams.py" "${ports[0]}" "${streams[@]}") || return
	echo "$right of $((2 * ${#streams[@]})) went right"
	((right == 2 * ${#streams[@]}))
}
check_long() { # WORDS
	check "$name$1 answers a thousand requests of both open sites, and 10 MiB each way" converses
	check "$name$1 serves ${streams[*]} of both open sites" streams
}
own_certificates() {
	local site
	for site in direct.example blog.example; do asks "$site" '' || return; done
	asks shop.example edge && asks other.example other && ! asks shop.example '' && ! asks shop.example other && ! asks other.example edge
}
asks() { # SITE CERTIFICATE|''
	local words=(-sk --max-time 10 --resolve "$1:${ports[0]}:127.0.0.1")
	if [[ -n $2 ]]; then words+=(--cert "$work/ca/$2.pem" --key "$work/ca/$2.key"); fi
	[[ $(curl "${words[@]}" "https://$1:${ports[0]}/") == *"canary of $1"* ]]
}

run_by_itself() {
	native=yes
	configure
	start_or_give_up "with $by_itself" ''
	measure_again
	row "$by_itself"
	stop
	native=
	configure
}

run_hosts() {
	furnish
	: >"$canaries"
	chmod 666 "$canaries"
	if [[ -n ${HOSTS_ROWS:-} && -n $by_itself ]]; then run_by_itself; fi
	start_or_give_up 'without the shim' ''
	measure_again
	row bare
	bare_open=$answered_open bare_own=$answered_own
	if [[ $mixes == yes ]]; then check "$name, without the shim, lets requests through to other sites" lets_in; fi
	check_long ', without the shim,'
	stop
	: >"$work/hosts.log"
	start_or_give_up 'with the shim' "$(policy_of_sites)"
	check "$name is covered, and so says doctor" doctor_is_right 0 "${ports[0]}" 'covered'
	check "$name can be covered, and so says doctor of the program" doctor_judges_program 0
	check "$name serves each site to its own clients alone" own_certificates
	check_long ''
	measure_again
	row 'the library'
	check "$name executes no request of a site that would not have admitted the connection" keeps_out
	check "$name answers all that it answers without the shim" answers_the_same
	check "$name: the log says whom it refused, and why" says_why
	stop
	finish
}

# `check` runs what it is given in a shell of its own, where variables stay.
measure_again() { measure >/dev/null 2>&1; }
