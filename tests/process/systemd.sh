#!/bin/bash
# systemd.sh - enable, disable and drop-in: what they write and refuse, that systemd takes it, and that the very lines keep a unit
# from starting uncovered: here they are run as systemd runs them, since it is not what runs this machine.
#
# BUILD          where cfshim, libcfshim.so and the small servers are
set -uo pipefail
# shellcheck source=tests/tap.sh
source tests/tap.sh
build=$(realpath "${BUILD:-build}") || exit 1
servers=$build/tests/process/servers
examples=$PWD/examples/systemd
scratch=$(mktemp -d)
jobs=()
trap 'kill "${jobs[@]}" 2>/dev/null; rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
unset CFSHIM_POLICY CFSHIM_LOG LD_PRELOAD
root=$scratch/root
units=$root/usr/lib/systemd/system
drop_in_of() { echo "$root/etc/systemd/system/$1.d/cfshim.conf"; } # UNIT.service

make --no-print-directory BUILD="$build" install DESTDIR="$root" >"$scratch/install" 2>&1 || { cat "$scratch/install" && exit 1; }
libdir=$(cd "$root" && find usr -name libcfshim.so -printf '/%h')
cfshim=$root/usr/local/bin/cfshim
mkdir -p "$units" "$root"/{etc/cfshim,etc/systemd/system,etc/default,usr/sbin,usr/bin}
printf '[port 443]\nca = /etc/cfshim/ca.pem\n' >"$root/etc/cfshim/policy.conf"
"$cfshim" test-ca "$scratch/ca" >/dev/null
cp "$scratch/ca/ca.pem" "$root/etc/cfshim/"
for name in usr/sbin/nginx usr/sbin/postmulti usr/bin/python3 usr/bin/app; do cp /bin/true "$root/$name"; done
printf '#include <unistd.h>\nint main(void) { return 0; }\n' >"$scratch/static.c"
"${CC:-gcc}" -static -o "$root/usr/bin/static" "$scratch/static.c"

unit() { # NAME LINE...: of [Service]
	local name=$1
	shift
	{ printf '[Unit]\nDescription=a test\n[Service]\n' && printf '%s\n' "$@"; } >"$units/$name.service"
}
unit nginx Type=forking PIDFile=/run/nginx.pid 'ExecStart=/usr/sbin/nginx -g "daemon on;"'
unit postfix@ Type=forking GuessMainPID=no 'ExecStart=/usr/sbin/postmulti -i %i -p start'
cp "$examples/socket-activation/hello."{socket,service} "$units/"
enabled() { "$cfshim" "$@" --root "$root" 2>&1; }
printed() { "$cfshim" drop-in "$1" --root "$root" 2>/dev/null; } # UNIT

if ! enabled drop-in nginx >/dev/null; then
	enabled drop-in nginx | sed 's/^/# /'
	skip 'enable, disable and drop-in' 'an image cannot be entered here: that takes root, or user namespaces'
	finish
fi

# --- what is refused

check 'without a unit it is a mistake of usage' refuses 2 'the unit is missing' "$cfshim" enable
check 'so are two units' refuses 2 'y is too much' "$cfshim" enable x y
check 'a path is no unit' refuses 2 'no name of a unit' "$cfshim" enable ../../etc/passwd
check 'nor are dots' refuses 2 'no name of a unit' "$cfshim" disable ..
check 'a socket is no service' refuses 2 'is no service: name the service' "$cfshim" enable hello.socket
check 'a relative policy is none' refuses 2 'takes an absolute path' "$cfshim" enable nginx --policy policy.conf
check 'disable takes no policy' refuses 2 'no option --policy' "$cfshim" disable nginx --policy /x
check 'a unit that is not there is refused' refuses 1 'there is no unit nothing.service' enabled enable nothing
ln -s /dev/null "$root/etc/systemd/system/masked.service"
check 'a masked one, too' refuses 1 'masked.service is masked' enabled enable masked
refused() { # PATTERN LINE...: a unit with these lines, and nothing is written
	local pattern=$1
	shift
	unit bad 'ExecStart=/usr/bin/app' "$@"
	refuses 1 "$pattern" enabled enable bad && [[ ! -e $(drop_in_of bad.service) ]]
}
check 'a unit of Type=oneshot is refused' refused 'Type=oneshot' Type=oneshot
check 'one without a main process, too' refused 'GuessMainPID=no.*PIDFile=' Type=forking GuessMainPID=no
check 'and one with a root of its own' refused 'a root of its own, /srv' RootDirectory=/srv
check 'one that unsets the variables' refused 'UnsetEnvironment=' 'UnsetEnvironment=FOO "LD_PRELOAD"'
printf 'A=b\nLD_PRELOAD=/x.so\n' >"$root/etc/default/bad"
check 'one with an EnvironmentFile that sets them' refused 'EnvironmentFile /etc/default/bad' EnvironmentFile=-/etc/default/bad
check 'or that cannot be read' refused 'EnvironmentFile /etc/default/none' EnvironmentFile=/etc/default/none
check 'a program that is linked statically' refused 'static is statically linked' ExecStart= ExecStart=/usr/bin/static
check 'a program that is not there' refused 'No such file' ExecStart= ExecStart=/usr/bin/none
echo 'garbage' >"$root/etc/cfshim/broken.conf"
broken_policy() { refuses 1 'broken.conf:1:1: .*' enabled enable nginx --policy /etc/cfshim/broken.conf && [[ ! -e $(drop_in_of nginx.service) ]]; }
check 'a policy with a mistake is refused, and the mistake shown' broken_policy
check 'a policy that is missing, too' refuses 1 'no such file' enabled enable nginx --policy /etc/cfshim/none.conf
mkdir -p "$root/etc/systemd/system/nginx.service.d" && echo '[Service]' >"$(drop_in_of nginx.service)"
check 'a file of that name that it did not make stays' refuses 1 'is there already, and not made by' enabled enable nginx
check 'also when it is to be taken away' refuses 1 'was not made by' enabled disable nginx
check 'and is as it was' diff <(echo '[Service]') "$(drop_in_of nginx.service)"
rm -r "$root/etc/systemd/system/nginx.service.d"

# --- what is written

before=$(find "$root" | sort)
check 'enable writes the drop-in, and names it' refuses 0 "^made: $root/etc/systemd/system/nginx.service.d/cfshim.conf" enabled enable nginx
check 'it is what drop-in prints' diff <(printed nginx) "$(drop_in_of nginx.service)"
check 'everybody may read it' diff <(echo 644) <(stat -c %a "$(drop_in_of nginx.service)")
# shellcheck disable=SC2016 # the variable is systemd's
for line in "AssertPathExists=$libdir/libcfshim.so" "Environment=LD_PRELOAD=$libdir/libcfshim.so" \
	'Environment=CFSHIM_POLICY=/etc/cfshim/policy.conf' 'ExecStartPre=+/usr/local/bin/cfshim check' \
	'ExecStartPost=+/usr/local/bin/cfshim doctor $MAINPID'; do
	check "it has: ${line##*/}" grep -qxF -- "$line" "$(drop_in_of nginx.service)"
done
check 'a second time it says that it is there' refuses 0 "^unchanged: $root/etc/systemd/system/nginx.service.d/cfshim.conf is there already, as it should be" enabled enable nginx.service
rm "$root/etc/cfshim/policy.conf"
check 'without a policy file it is made anew, and names none' refuses 0 '^made anew:' enabled enable nginx
check 'as then the built-in policy holds' refuses 1 '' grep CFSHIM_POLICY "$(drop_in_of nginx.service)"
check 'disable removes it' refuses 0 "^removed: $root/etc/systemd/system/nginx.service.d/cfshim.conf" enabled disable nginx
check 'and all that enable wrote' diff <(grep -vxF "$root/etc/cfshim/policy.conf" <<<"$before") <(find "$root" | sort)
check 'a second time it says that there is none' refuses 0 "is not enabled: there is no $root/etc/systemd/system/nginx.service.d/cfshim.conf" enabled disable nginx
printf '[port 443]\nca = /etc/cfshim/ca.pem\n' >"$root/etc/cfshim/policy.conf"

preloads() { # VALUE LINE...: what becomes of the LD_PRELOAD of a unit with these lines
	local value=$1
	shift
	unit own 'ExecStart=/usr/bin/app' "$@"
	printed own | grep -F LD_PRELOAD= | diff <(echo "$value") -
}
ours=$libdir/libcfshim.so
check "the unit's own LD_PRELOAD is kept" preloads "Environment=LD_PRELOAD=$ours:/a.so" Environment=LD_PRELOAD=/a.so
check 'in a list with quotes, over lines' preloads "Environment=LD_PRELOAD=$ours:/a.so:/b.so" \
	$'Environment="A=b c" \\\n# a comment\n "LD_PRELOAD=/a.so:/b.so" D=e'
check 'one with a blank is quoted' preloads "Environment=\"LD_PRELOAD=$ours:/a.so /b.so\"" "Environment='LD_PRELOAD=/a.so /b.so'"
check 'the last one counts' preloads "Environment=LD_PRELOAD=$ours:/b.so" Environment=LD_PRELOAD=/a.so Environment=LD_PRELOAD=/b.so
check 'an empty assignment forgets' preloads "Environment=LD_PRELOAD=$ours" Environment=LD_PRELOAD=/a.so Environment=
check 'a specifier stays one' preloads "Environment=LD_PRELOAD=$ours:/%i.so" Environment=LD_PRELOAD=/%i.so
check 'the runtime of a sanitizer stays in front' preloads "Environment=LD_PRELOAD=/libasan.so.8:$ours" Environment=LD_PRELOAD=/libasan.so.8
check 'a list that names the library already stays' preloads 'Environment=LD_PRELOAD=/opt/libcfshim.so' Environment=LD_PRELOAD=/opt/libcfshim.so
mkdir -p "$units/own.service.d" "$root/etc/systemd/system/own.service.d"
printf '[Service]\nEnvironment=LD_PRELOAD=/c.so\n' >"$units/own.service.d/50-x.conf"
check 'drop-ins count' preloads "Environment=LD_PRELOAD=$ours:/c.so" Environment=LD_PRELOAD=/a.so
printf '[Service]\nEnvironment=LD_PRELOAD=/d.so\n' >"$root/etc/systemd/system/own.service.d/50-x.conf"
check "the administrator's in the place of a package's" preloads "Environment=LD_PRELOAD=$ours:/d.so" Environment=LD_PRELOAD=/a.so
printf '[Service]\nEnvironment=LD_PRELOAD=/e.so\n' >"$units/own.service.d/60-y.conf"
check 'in the order of their names' preloads "Environment=LD_PRELOAD=$ours:/e.so" Environment=LD_PRELOAD=/a.so
ln -s /etc/systemd "$scratch/outside" && mkdir -p "$root/opt"
outside_stays() { # a link in the image that would lead out of it
	rm -rf "$root/etc/systemd/system/own.service.d"
	mkdir "$scratch/elsewhere"
	ln -s "$scratch/elsewhere" "$root/etc/systemd/system/own.service.d"
	enabled enable own
	rm "$root/etc/systemd/system/own.service.d"
	[[ -z $(ls "$scratch/elsewhere") ]]
}
check 'a link in the image does not lead out of it' outside_stays

# --- units of one's own

export HOME=$scratch/home
mkdir -p "$HOME/.config/systemd/user" && cp "$examples/user/hello.service" "$HOME/.config/systemd/user/"
check 'a unit of the user is made, and systemd told of' refuses 0 "made: $HOME/.config/systemd/user/hello.service.d/cfshim.conf" \
	env -u XDG_CONFIG_HOME "$build/cfshim" enable --user hello
check 'it has no privileges to ask for' refuses 1 '' grep -F '=+' "$HOME/.config/systemd/user/hello.service.d/cfshim.conf"
if [[ ! -d /run/systemd/system ]]; then
	check 'where systemd does not run, that is said, and how to restart' refuses 0 'systemd does not run here' bash -c \
		"'$build/cfshim' disable --user hello; '$build/cfshim' enable --user hello"
fi
say_when() {
	refuses 0 '^hello.service is covered until it starts anew: systemctl --user restart hello.service$' "$build/cfshim" disable --user hello &&
		refuses 0 '^hello.service is covered once it starts anew: systemctl --user restart hello.service$' "$build/cfshim" enable --user hello
}
check 'both say from when on that counts' say_when
fit_on_terminal() { # the second time each, whose lines are the longest
	local verb
	for verb in enable enable disable disable enable; do
		script -qec "'$build/cfshim' $verb --user hello" /dev/null </dev/null | tr -d '\r' | sed 's/\x1b\[[0-9;]*m//g'
	done >"$HOME/said"
	cat "$HOME/said"
	grep -q "^unchanged:" "$HOME/said" && grep -q "is not enabled" "$HOME/said" && awk -v own="$HOME" 'length > 80 && $NF !~ own { print "too wide: " $0; wide = 1 } END { exit wide }' "$HOME/said"
}
check 'on a terminal of 80 columns their words are not cut' fit_on_terminal

# --- the examples are what drop-in prints, and systemd takes them

usual() { sed "s,$libdir/,/usr/lib/x86_64-linux-gnu/,g; s,$build/libcfshim,/usr/lib/x86_64-linux-gnu/libcfshim,g; s,/usr/local/bin/,/usr/bin/,g; s,$build/cfshim,/usr/bin/cfshim,g"; }
is_example() { # UNIT FILE
	printed "$1" | usual | diff - "$examples/$2"
}
cp -r "$examples/postfix@-.service.d" "$root/etc/systemd/system/"
check 'the example for nginx is what drop-in prints' is_example nginx nginx.service.d/cfshim.conf
check 'that for Postfix, whose main process is named' is_example postfix@- postfix@-.service.d/cfshim.conf
check 'that for socket activation' is_example hello socket-activation/hello.service.d/cfshim.conf
user_is_example() {
	"$build/cfshim" drop-in --user hello --policy "$root/etc/cfshim/policy.conf" 2>/dev/null | sed "s,$root,," | usual |
		diff - "$examples/user/hello.service.d/cfshim.conf"
}
sed -i "s,/etc/cfshim/ca.pem,$root&," "$root/etc/cfshim/policy.conf"
check 'that for a unit of the user' user_is_example
sed -i "s,$root,," "$root/etc/cfshim/policy.conf"

verifies() { # UNIT OPTION...: below the root, with a drop-in; no complaint at all
	local name=$1 output status=0
	shift
	output=$(systemd-analyze verify --man=no --recursive-errors=no "$@" "$name" 2>&1) || status=$?
	echo "$output"
	[[ $status == 0 && -z $output ]]
}
if command -v systemd-analyze >/dev/null; then
	mkdir -p "$scratch/verify"
	for name in nginx postfix@- hello; do
		folder=$scratch/verify/$name.service.d
		mkdir -p "$folder" && printed "$name" | sed "s,=+*/usr/local,=$root/usr/local,; s,$libdir,$root&," >"$folder/cfshim.conf"
		sed "s,=/usr,=$root/usr," "$units/${name/@-/@}.service" >"$scratch/verify/$name.service"
		check "systemd takes the drop-in for $name" verifies "$scratch/verify/$name.service"
	done
	cp "$examples/user/hello.service" "$scratch/verify/user.service" && sed -i "s,^Exec.*,ExecStart=/bin/true," "$scratch/verify/user.service"
	mkdir "$scratch/verify/user.service.d" && cp "$HOME/.config/systemd/user/hello.service.d/cfshim.conf" "$scratch/verify/user.service.d/"
	check 'systemd takes the drop-in for a unit of the user' env XDG_RUNTIME_DIR="$scratch" systemd-analyze verify --user --man=no \
		--recursive-errors=no "$scratch/verify/user.service"
	echo 'ExecStartPast=/bin/true' >>"$scratch/verify/nginx.service.d/cfshim.conf"
	check 'and notices a mistake in one' refuses 1 "ExecStartPast" verifies "$scratch/verify/nginx.service"
else
	skip 'systemd takes the drop-ins' 'systemd-analyze is not here'
fi

# --- its lines at work: a unit starts covered, or fails

port=$(free_port)
printf '[port %s]\nca = %s/ca/ca.pem\n' "$port" "$scratch" >"$scratch/policy.conf"
mkdir "$scratch/bin" && cp "$build/cfshim" "$build/libcfshim.so" "$scratch/bin/"
chmod 755 "$scratch/bin/cfshim" && chmod 644 "$scratch/bin/libcfshim.so" "$scratch/ca"/* && chmod 755 "$scratch/ca"
mkdir -p "$HOME/.config/systemd/user"
printf '[Service]\nExecStart=%s\n' "$servers/small_server" >"$HOME/.config/systemd/user/small.service"
drop_in=$scratch/small.conf
"$scratch/bin/cfshim" drop-in --user small --policy "$scratch/policy.conf" >"$drop_in"
setting() { sed -n "s/^$1=+*//p" "$drop_in"; }
# It is started in another shell than this one: its number is in a file.
stop_unit() {
	local number turn
	number=$(cat "$scratch/number" 2>/dev/null) || return 0
	kill "$number" 2>/dev/null
	for ((turn = 0; turn < 100; turn++)); do
		if ! kill -0 "$number" 2>/dev/null; then break; fi
		sleep 0.05
	done
	rm "$scratch/number"
}
trap 'stop_unit; kill "${jobs[@]}" 2>/dev/null; rm -rf "$scratch"' EXIT
# As systemd does: the assertion, the variables, what is first, the server, what is afterwards; and all ends with a failure.
start_unit() { # SERVER-COMMAND...
	local environment status=0
	mapfile -t environment < <(setting Environment)
	stop_unit
	[[ -e $(setting AssertPathExists) ]] || { echo 'assertion failed' && return 1; }
	# shellcheck disable=SC2046 # words of the line
	env "${environment[@]}" $(setting ExecStartPre) || { echo "ExecStartPre failed" && return 1; }
	"${1:-env}" "${@:2}" "${environment[@]}" "$server" "$scratch/ca/server.pem" "$scratch/ca/server.key" 127.0.0.1 "$port" >"$scratch/log" 2>&1 </dev/null &
	echo $! >"$scratch/number"
	# shellcheck disable=SC2046,SC2001
	env "${environment[@]}" $(setting ExecStartPost | sed "s/\$MAINPID/$!/") || status=$?
	if ((status != 0)); then stop_unit && echo 'ExecStartPost failed' && return 1; fi
}
server=$servers/small_server
nobodys=(setpriv --reuid=65534 --regid=65534 --clear-groups env)
check 'a unit starts, covered' refuses 0 '^verdict +covered' start_unit env
asks() {
	local turn
	for ((turn = 0; turn < 100; turn++)); do if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi && sleep 0.1; done
	curl -sS --cacert "$scratch/ca/server-ca.pem" "$@" "https://localhost:$port/" 2>&1
}
check 'then a stranger is refused' refuses 56 'alert certificate required' asks
check 'and the edge is served' refuses 0 'the answer of the server itself' asks --cert "$scratch/ca/edge.pem" --key "$scratch/ca/edge.key"
echo garbage >"$scratch/policy.conf"
check 'with a broken policy the unit fails before it starts' refuses 1 '^ExecStartPre failed' start_unit env
printf '[port %s]\nca = %s/ca/ca.pem\n' "$port" "$scratch" >"$scratch/policy.conf"
mv "$scratch/bin/libcfshim.so" "$scratch/bin/away"
check 'without the library the unit does not start' refuses 1 '^assertion failed' start_unit env
mv "$scratch/bin/away" "$scratch/bin/libcfshim.so"
if ((EUID == 0)); then
	chmod 600 "$scratch/bin/libcfshim.so"
	check 'with one that its user may not read the unit fails' refuses 1 'may not read' start_unit "${nobodys[@]}"
	chmod 644 "$scratch/bin/libcfshim.so"
	check 'with one that he may read it starts' refuses 0 '^verdict +covered' start_unit "${nobodys[@]}"
	cp "$server" "$scratch/capable" && chmod 755 "$scratch/capable"
	if setcap cap_net_bind_service+ep "$scratch/capable" 2>/dev/null; then
		server=$scratch/capable
		check 'where it was dropped for file capabilities the unit fails' refuses 1 'secure mode' start_unit "${nobodys[@]}"
	fi
	cp "$servers/small_server" "$scratch/setuid" && chmod 4755 "$scratch/setuid"
	server=$scratch/setuid
	check 'where it was dropped for setuid the unit fails' refuses 1 'secure mode' start_unit "${nobodys[@]}"
	server=$servers/small_server
fi
empty_main_process() { env CFSHIM_POLICY="$scratch/policy.conf" "$scratch/bin/cfshim" doctor; }
check 'where systemd knows no main process the unit fails' refuses 2 'is missing' empty_main_process
stop_unit

# --- socket activation

if command -v systemd-socket-activate >/dev/null; then
	systemd-socket-activate -l "127.0.0.1:$port" -E LD_PRELOAD="$scratch/bin/libcfshim.so" -E CFSHIM_POLICY="$scratch/policy.conf" \
		/usr/bin/python3 "$examples/socket-activation/hello.py" "$scratch/ca/server.pem" "$scratch/ca/server.key" \
		>"$scratch/log" 2>&1 </dev/null &
	jobs=($!)
	check 'a server that got its socket from systemd refuses a stranger' refuses 56 'alert certificate required' asks
	check 'and serves the edge' refuses 0 'hello from a socket of systemd' asks --cert "$scratch/ca/edge.pem" --key "$scratch/ca/edge.key"
	check 'and is covered, says doctor' refuses 0 "^127.0.0.1:$port +tcp .* covered" "$scratch/bin/cfshim" doctor "${jobs[0]}"
else
	skip 'a server that got its socket from systemd' 'systemd-socket-activate is not here'
fi
finish
