#!/bin/sh
# systemctl.sh - what stands in for systemctl where systemd runs nothing: fresh.sh puts it into its roots, as /usr/local/bin/systemctl.
#
# daemon-reload does nothing, since the unit and its drop-ins are read each time.  start, stop and restart keep to what these say by
# Environment= (without quotes), AssertPathExists=, ExecStartPre=, ExecStart=, ExecStartPost= and ExecStop=.  As with systemd, all of it
# gets that environment and no other, and a start fails with any of its parts.  The main process is the one that Apache itself names.
set -u
verb=$1
if [ "$verb" = daemon-reload ]; then exit 0; fi
unit=${2%.service}.service

settings() { # NAME: each value, the unit's first
	cat "/lib/systemd/system/$unit" "/etc/systemd/system/$unit.d/"*.conf 2>/dev/null | sed -n "s/^$1=+*//p"
}
execute() { # NAME: each command
	settings "$1" | while read -r command; do
		# shellcheck disable=SC2046 # a word each
		env -i PATH="$PATH" $(settings Environment) MAINPID="$(main_process)" sh -c "exec $command" </dev/null || {
			echo "$1 failed: $command" >&2
			exit 1
		}
	done
}
main_process() { cat /run/apache2/apache2.pid 2>/dev/null; }
runs() { kill -0 "$(main_process)" 2>/dev/null; }
await() { # COMMAND...: ten seconds
	turn=0
	until "$@"; do
		turn=$((turn + 1))
		if [ "$turn" -gt 100 ]; then return 1; fi
		sleep 0.1
	done
}

has_ended() { ! kill -0 "$stopped" 2>/dev/null; }
stop() {
	if ! runs; then return; fi
	stopped=$(main_process)
	execute ExecStop && await has_ended
}
start() {
	for path in $(settings AssertPathExists); do
		[ -e "$path" ] || { echo "assertion failed: $path" >&2 && return 1; }
	done
	execute ExecStartPre && execute ExecStart && await runs && execute ExecStartPost
}

case $verb in
start) start || { stop && exit 1; } ;;
stop) stop ;;
restart) stop && { start || { stop && exit 1; }; } ;;
*) echo "no verb of this stand-in: $verb" >&2 && exit 2 ;;
esac
