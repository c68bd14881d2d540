#!/bin/bash
# directions.sh [ROOT] - who may include whom, and who may call what; prints each breach, exits 1 if there is any.
#
# The house has storeys: a file includes only what stands below it, so nothing goes in circles, neighbours do not know each
# other, and nobody but boot knows a door.  A new file in shim/ gets its storey here.
set -euo pipefail
cd "${1:-.}"
complaints=$(mktemp)
trap 'rm -f "$complaints"' EXIT

storey_of() { # PATH below ROOT; 0 is the ground, nothing: unknown
	case $1 in
	shim/boot.*) echo 10 ;;
	shim/door_* | shim/doors.h) echo 9 ;;
	shim/connection.* | shim/verdict.* | shim/answering.* | shim/choosing.* | shim/counting.* | shim/observing.* | shim/requests.*) echo 8 ;;
	shim/arm.* | shim/peer.* | shim/refuse.* | shim/guard* | shim/host_guard.* | shim/answer_status.*) echo 7 ;;
	shim/rules.* | shim/serving.* | shim/withhold.* | shim/client_socket.* | shim/ring.*) echo 6 ;;
	shim/endpoint.* | shim/hello.* | shim/host.* | shim/descriptor.* | shim/hangup.* | shim/newcomer.*) echo 5 ;;
	shim/policy_* | shim/counters.[ch]) echo 4 ;;
	shim/journal* | shim/open_descriptors.* | shim/openssl.* | shim/environment.*) echo 3 ;;
	shim/libc.* | shim/libc_names.h | shim/root.* | shim/table.* | shim/object.* | shim/compat.h | shim/hooks.h) echo 2 ;;
	shim/trust/* | shim/wire/* | shim/counters_layout.h) echo 1 ;;
	cli/*) echo 2 ;;
	policy/* | shim/hooks.def) echo 0 ;;
	esac
}

# Files of one part may include each other.
part_of() { # PATH below ROOT
	case $1 in
	policy/* | cli/* | shim/trust/* | shim/wire/*) echo "${1%/*}" ;;
	shim/door_* | shim/doors.h) echo doors ;;
	shim/connection.* | shim/verdict.* | shim/answering.* | shim/choosing.* | shim/counting.* | shim/observing.* | shim/requests.*) echo shim/connection ;;
	shim/guard*) echo shim/guard ;;
	shim/journal*) echo shim/journal ;;
	shim/policy_*) echo shim/policy_in_force ;;
	shim/compat.h | shim/hooks.h | shim/libc.* | shim/libc_names.h | shim/hooks.def) echo shim/hooks ;;
	*) echo "${1%.*}" ;;
	esac
}

# The file that an #include "NAME" in FILE means, below ROOT; NAME below generated/ where there is none.
included_file() { # FILE NAME
	local folder
	for folder in "${1%/*}" shim policy cli; do
		if [[ -e $folder/$2 ]]; then
			realpath --relative-to=. "$folder/$2"
			return
		fi
	done
	echo "generated/$2"
}

complain() { echo "$1" >>"$complaints"; }

check_includes() { # FILE
	local line name target from to
	from=$(storey_of "$1")
	if [[ -z $from ]]; then
		complain "$1:1: stands on no storey: tests/lint/directions.sh has to name it"
		return
	fi
	while IFS=: read -r line name; do
		target=$(included_file "$1" "$name")
		to=$(storey_of "$target")
		if [[ $target == */*.inc || $(part_of "$1") == "$(part_of "$target")" ]]; then continue; fi
		if [[ $1 == cli/* && $target == shim/* && $to -gt 1 ]]; then
			complain "$1:$line: the command may not include $name: trust, wire and policy only"
		elif ((from <= ${to:-99})); then
			complain "$1:$line: on storey $from, may not include $name, on ${to:-none}"
		fi
	done < <(sed -n '/^[ \t]*#[ \t]*include "/{=;s/.*"\(.*\)".*/\1/p}' "$1" | paste -d: - -)
}

# Comments and strings are taken out first; what begins in the first column is a definition, not a call.
without_comments() { # FILE
	sed -e 's,/\*.*\*/,,g' -e '/\/\*/,/\*\//s,.*,,' -e 's/"\([^"\\]\|\\.\)*"//g' "$1"
}

# Only the files ALLOWED (a pattern) among FILES may call one of NAMES (a pattern).
forbid_calls() { # REASON NAMES ALLOWED FILE...
	local reason=$1 names=$2 allowed=$3 file
	shift 3
	for file in "$@"; do
		if [[ $file =~ ^($allowed)$ ]]; then continue; fi
		without_comments "$file" | awk -v at="$file" -v reason="$reason" -v names="$names" '
			/^[ \t]/ && $0 ~ "(^|[^A-Za-z0-9_])(" names ")[ \t]*\\(" { print at ":" NR ": " reason ":" $0 }' >>"$complaints"
	done
}

forbid_openssl() { # FILE...
	awk '/^[ \t]*#[ \t]*include <openssl\// { print FILENAME ":" FNR ": no OpenSSL here: " $0 }' "$@" >>"$complaints"
}

files() { find "$@" -name '*.[ch]' | sort; }
mapfile -t guest < <(files shim policy)
pure_folders=(policy)
if [[ -d shim/wire ]]; then pure_folders+=(shim/wire); fi
mapfile -t pure < <(files "${pure_folders[@]}")
mapfile -t all < <(files shim policy cli)

for file in "${all[@]}"; do check_includes "$file"; done
nobody=nobody
forbid_calls 'only openssl.c and libc.c look symbols up' 'dlsym|dlvsym' 'shim/(openssl|libc)\.c' "${guest[@]}"
forbid_calls 'only boot.c reads the environment' 'getenv|secure_getenv' 'shim/boot\.c' "${guest[@]}"
# The doors and the guard pass on what the host writes.
forbid_calls 'only journal_target.c writes' \
	'write|writev|pwrite|pwritev|send|sendto|sendmsg|sendmmsg|dprintf|vdprintf|syslog|fwrite|fputs|fputc' \
	'shim/(journal_target|door_out|door_unseen|guard_out|guard_standard)\.c' "${guest[@]}"
forbid_calls 'a guest does not print' 'printf|vprintf|fprintf|vfprintf|puts|putchar|perror' "$nobody" "${guest[@]}"
forbid_calls 'a guest does not end its host' 'exit|_exit|_Exit|quick_exit|abort|assert|raise' "$nobody" "${guest[@]}"
forbid_calls 'no thread, no signal handler' 'pthread_create|thrd_create|signal|sigaction' "$nobody" "${guest[@]}"
forbid_openssl "${pure[@]}"

cat "$complaints"
[[ ! -s $complaints ]]
