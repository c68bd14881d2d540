#!/bin/bash
# examples.sh - what stands in examples/ does what it says, as far as a machine without a cluster, an engine and a Grafana can tell.
set -uo pipefail
# shellcheck source=tests/tap.sh
source tests/tap.sh
PATH=$PATH:/usr/sbin:/sbin
BUILD=$(realpath "${BUILD:-build}")
cfshim=$BUILD/cfshim library=${CFSHIM_LIBRARY:-$BUILD/libcfshim.so}
scratch=$(mktemp -d)
# Also from within `check`, which is a shell of its own.
stop_server() {
	local turn
	if [[ ! -s $scratch/pid ]]; then return; fi
	kill "$(<"$scratch/pid")" 2>/dev/null
	for ((turn = 0; turn < 100; turn++)); do
		if [[ ! -e /proc/$(<"$scratch/pid")/exe ]]; then break; fi
		sleep 0.05
	done
	rm "$scratch/pid"
}
trap 'stop_server; rm -rf "$scratch"' EXIT
unset LD_PRELOAD CFSHIM_POLICY CFSHIM_LOG

await_port() { # PORT
	local turn
	for ((turn = 0; turn < 200; turn++)); do
		if (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
		sleep 0.05
	done
	echo "nobody listens on port $1"
	return 1
}

# ---- legacy-daemon ----

start_daemon() { # [COMMAND before it...]
	stop_server
	"$@" "$scratch/legacyd" "$port" "$scratch/keys/server.pem" "$scratch/keys/server.key" >"$scratch/daemon.output" 2>&1 </dev/null &
	echo $! >"$scratch/pid"
	await_port "$port"
}
ask() { # [OPTION of s_client...]; what came back, without what s_client says of the handshake
	{ printf 'STOCK bolts\n'; sleep 1; } |
		timeout 20 openssl s_client -quiet -connect "127.0.0.1:$port" "$@" 2>"$scratch/client.errors"
}
is_answered() { [[ $(ask "$@") == 'bolts: 42 in stock' ]]; }
is_refused() { # PATTERN of the client's errors, OPTION...
	local pattern=$1 output
	shift
	output=$(ask "$@")
	echo "answer: $output"
	[[ -z $output ]] && grep -qE "$pattern" "$scratch/client.errors"
}
log_has() { grep -qE "$1" "$scratch/daemon.output"; } # PATTERN

port=$(free_port)
"$cfshim" test-ca "$scratch/keys" >/dev/null
printf '[port %s]\nca = %s\n' "$port" "$scratch/keys/ca.pem" >"$scratch/policy.conf"
check 'the legacy daemon is built from its source' \
	"${CC:-gcc}" -Wall -Wextra -Werror -o "$scratch/legacyd" examples/legacy-daemon/legacyd.c -lssl -lcrypto
check 'it starts' start_daemon
check 'without the library a stranger gets an answer' is_answered
check 'it starts under the library' start_daemon env "LD_PRELOAD=$library" "CFSHIM_POLICY=$scratch/policy.conf"
check 'under it a stranger gets an alert, and no answer' is_refused 'certificate required|alert number 116' -tls1_3
check 'one with a certificate of another CA too' \
	is_refused 'unknown ca|alert number 48' -cert "$scratch/keys/other.pem" -key "$scratch/keys/other.key"
check 'the log says why' log_has 'refused reason=no-certificate .*tls=1\.3 answer=reject'
check 'of each' log_has 'refused reason=untrusted-issuer'
check 'who has the certificate gets the answer' is_answered -cert "$scratch/keys/edge.pem" -key "$scratch/keys/edge.key"

# ---- prometheus ----

metrics_of() { "$cfshim" status --metrics; }
# Metrics, and the labels and verdicts they are asked for, that FILE names.
named_in() { # FILE
	grep -oE 'cfshim_[a-z_]+' "$1" | sort -u
}
metrics_are_known() { # FILE: what it names is printed of the daemon that runs
	local name
	metrics_of >"$scratch/metrics" || return 1
	while read -r name; do
		grep -q "^$name{" "$scratch/metrics" || { echo "$1: the command prints no $name" && return 1; }
	done < <(named_in "$1")
}
labels_are_known() { # FILE
	local label
	for label in program port server verdict reason; do
		grep -qE "^cfshim_connections_total\{.*\b$label=" "$scratch/metrics" || { echo "no label $label" && return 1; }
	done
	while read -r label; do
		case $label in
		instance | program | port | server | verdict | reason) ;;
		*) echo "$1: there is no label $label" && return 1 ;;
		esac
	done < <(grep -oE '[a-z_]+=~?\\?"' "$1" | grep -oE '^[a-z_]+')
}
reasons_are_known() { # FILE
	local reason
	while read -r reason; do
		grep -qE "\"$reason\"" policy/reasons.def || { echo "$1: there is no reason $reason" && return 1; }
	done < <(grep -oE 'reason=~?"[^"]+"' "$1" | sed -E 's/.*"(.*)"/\1/' | tr '|' '\n')
}
is_dashboard() {
	/usr/bin/python3 - examples/prometheus/dashboard.json <<-'END'
		import json, sys
		panels = json.load(open(sys.argv[1]))["panels"]
		assert len({panel["id"] for panel in panels}) == len(panels), "two panels have one id"
		assert all(target["expr"] for panel in panels for target in panel["targets"])
		assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels), "a panel is too wide"
	END
}

if command -v promtool >/dev/null; then
	check 'Prometheus takes the rules' promtool check rules examples/prometheus/cfshim.rules.yaml
	check 'their alerts come when they should' promtool test rules examples/prometheus/cfshim.rules-test.yaml
else
	for sentence in 'Prometheus takes the rules' 'their alerts come when they should'; do
		skip "$sentence" 'promtool is not here: apt-get install prometheus'
	done
fi
for file in examples/prometheus/{cfshim.rules.yaml,dashboard.json}; do
	check "${file##*/} names metrics that there are" metrics_are_known "$file"
	check "${file##*/} names labels that there are" labels_are_known "$file"
done
check 'the reasons of the alerts are those of the library' reasons_are_known examples/prometheus/cfshim.rules.yaml
check 'the dashboard is one' is_dashboard
stop_server

# ---- docker ----

# Of the Dockerfile, what is copied from here or from where the library was built.
dockerfile_copies_what_there_is() {
	local from to
	while read -r from to; do
		case $from in
		/src/build/*) [[ -e $BUILD/${from#/src/build/} ]] ;;
		*) [[ -e $from ]] ;;
		esac || { echo "there is no $from for $to" && return 1; }
	done < <(sed -nE 's/^COPY (--from=build )?([^ ]+) ([^ ]+)$/\2 \3/p' examples/docker/Dockerfile)
}
paths_agree() { # what the environment names is where COPY has put it
	local path
	while read -r path; do
		grep -qE "^COPY .* $path\$" examples/docker/Dockerfile || { echo "nothing is copied to $path" && return 1; }
	done < <(sed -nE 's/.*(LD_PRELOAD|CFSHIM_POLICY)=([^ ]+).*/\2/p' examples/docker/Dockerfile)
}
check 'the policy for a container is one' "$cfshim" check examples/docker/policy.conf
check 'the Dockerfile copies what there is' dockerfile_copies_what_there_is
check 'and its variables name what it copied' paths_agree
check 'the build targets it calls are there' make -n BUILD="$BUILD" "$BUILD/libcfshim.so" "$BUILD/cfshim"
if command -v docker-compose >/dev/null; then
	check 'docker-compose takes the file' docker-compose -f examples/docker/compose.yaml config -q
else
	skip 'docker-compose takes the file' 'docker-compose is not here: apt-get install docker-compose'
fi

# ---- kubernetes ----

kustomized() { kubectl kustomize examples/kubernetes 2>"$scratch/kustomize.errors" || { cat "$scratch/kustomize.errors" && return 1; }; }
fields_are_known() { /usr/bin/python3 tests/support/kubernetes_types.py <"$scratch/manifests"; }
# A field that is spelt wrong, and a number that is none.
mistakes_are_told() {
	local output status=0
	output=$(sed -E 's/mountPath:/mountpath:/; s/replicas: 2/replicas: two/' "$scratch/manifests" |
		/usr/bin/python3 tests/support/kubernetes_types.py) || status=$?
	echo "$output"
	((status == 1)) && grep -q 'mountpath: there is no such field' <<<"$output" && grep -q "'two' is no int" <<<"$output"
}
server_gets_the_library() {
	/usr/bin/python3 - "$scratch/manifests" <<-'END'
		import sys, yaml
		pod = next(m for m in yaml.safe_load_all(open(sys.argv[1])) if m["kind"] == "Deployment")["spec"]["template"]["spec"]
		server, init = pod["containers"][0], pod["initContainers"][0]
		assert len(pod["containers"]) == 1 and server["image"].startswith("nginx"), "the server is not as it was"
		environment = {e["name"]: e["value"] for e in server["env"]}
		mounts = {m["mountPath"]: m["name"] for m in server["volumeMounts"]}
		assert mounts[environment["LD_PRELOAD"].rpartition("/")[0]] in [m["name"] for m in init["volumeMounts"]]
		assert mounts[environment["CFSHIM_POLICY"].rpartition("/")[0]] == "cfshim-policy"
		assert {v["name"] for v in pod["volumes"]} >= set(mounts.values())
	END
}
check 'the policy for a cluster is one' "$cfshim" check examples/kubernetes/policy.conf
if kustomized >"$scratch/manifests"; then
	check 'kustomize puts the library into a server as it was' server_gets_the_library
	if /usr/bin/python3 -c 'import kubernetes, yaml' 2>/dev/null; then
		check 'every field is as the types of the API say' fields_are_known
		check 'and a mistake would be told' mistakes_are_told
	else
		skip 'every field is as the types of the API say' 'apt-get install python3-kubernetes python3-yaml'
	fi
else
	skip 'kustomize puts the library into a server as it was' 'kubectl is not here, or its kustomize is older than 4'
fi

# ---- ansible ----

# On a machine of its own: what this one has, with another /etc, /var and /usr/bin/cfshim that end with the test.
# shellcheck disable=SC2016 # the variables are those of the inner shell
on_a_machine_of_its_own='
	set -eu
	mount -t tmpfs own "$1"
	for folder in etc var root; do
		mkdir -p "$1/$folder.upper" "$1/$folder.work"
		mount -t overlay -o "lowerdir=/$folder,upperdir=$1/$folder.upper,workdir=$1/$folder.work" overlay "/$folder"
	done
	mkdir -p /etc/systemd/system
	printf "[Service]\nExecStart=/usr/sbin/nginx\n" >/etc/systemd/system/nginx.service
	"$2"
'
cat >"$scratch/play" <<'END'
#!/bin/bash
set -eu
play() {
	LC_ALL=C.UTF-8 ansible-playbook -i localhost, -c local examples/ansible/site.yaml -e "cfshim_command=$CFSHIM" \
		-e ansible_python_interpreter=/usr/bin/python3 -e ansible_become=false "$@"
}
play --check --diff
[[ ! -e /etc/cfshim/policy.conf ]]
play
grep -q 'verify = observe' /etc/cfshim/policy.conf
grep -q LD_PRELOAD= /etc/systemd/system/nginx.service.d/cfshim.conf
play | tee /var/second
grep -qE 'changed=0 .*failed=0' /var/second
printf '%s\n' 'cfshim_policy: "[port 443]\nverify = maybe\n"' >/var/bad.yaml
status=0
play -e @/var/bad.yaml || status=$?
((status != 0))
grep -q 'verify = observe' /etc/cfshim/policy.conf
END
chmod 755 "$scratch/play"
machine_of_its_own() { mkdir -p "$scratch/own" && CFSHIM=$cfshim unshare --mount bash -c "$on_a_machine_of_its_own" machine "$scratch/own" "$scratch/play"; }
if ! command -v ansible-playbook >/dev/null; then
	skip 'the role is checked, runs, changes nothing twice, and writes no policy with a mistake' 'apt-get install ansible-core'
elif ((EUID != 0)) || ! unshare --mount true 2>/dev/null; then
	skip 'the role is checked, runs, changes nothing twice, and writes no policy with a mistake' 'needs root, and a mount namespace'
else
	check 'the role is checked, runs, changes nothing twice, and writes no policy with a mistake' machine_of_its_own
fi
finish
