#!/bin/bash
# directions.sh [ROOT] - who may include whom, and who may call what; prints each breach, exits 1 if there is any.
#
# The house has storeys: a file includes only what stands below it, so nothing goes in circles, neighbours do not know each
# other, and nobody but boot knows a door.  A new file in shim/ gets its storey here.
set -euo pipefail
cd "${1:-.}"
complaints=$(mktemp)
stripped=$(mktemp -d)
trap 'rm -rf "$complaints" "$stripped"' EXIT

storey_of() { # PATH below ROOT; 0 is the ground, nothing: unknown
	REPLY=
	case $1 in
	shim/boot.*) REPLY=10 ;;
	shim/door_* | shim/doors.h) REPLY=9 ;;
	shim/connection.* | shim/connection_hello.* | shim/verdict.* | shim/answering.* | shim/choosing.* | shim/counting.* | shim/observing.* | shim/requests.* | shim/silence.* | shim/spelling.*) REPLY=8 ;;
	shim/arm.* | shim/peer.* | shim/refuse.* | shim/guard* | shim/host_guard.* | shim/answer_status.*) REPLY=7 ;;
	shim/rules.* | shim/serving.* | shim/withhold.* | shim/client_socket.* | shim/ring.*) REPLY=6 ;;
	shim/endpoint.* | shim/hello.* | shim/host.* | shim/descriptor.* | shim/hangup.* | shim/newcomer.*) REPLY=5 ;;
	shim/policy_* | shim/counters.[ch]) REPLY=4 ;;
	shim/journal* | shim/open_descriptors.* | shim/openssl.* | shim/environment.*) REPLY=3 ;;
	shim/libc.* | shim/libc_names.h | shim/root.* | shim/table.* | shim/object.* | shim/compat.h | shim/hooks.h) REPLY=2 ;;
	shim/trust/* | shim/wire/* | shim/counters_layout.h) REPLY=1 ;;
	cli/*) REPLY=2 ;;
	policy/* | shim/hooks.def) REPLY=0 ;;
	esac
}

# Files of one part may include each other.
part_of() { # PATH below ROOT
	case $1 in
	policy/* | cli/* | shim/trust/* | shim/wire/*) REPLY=${1%/*} ;;
	shim/door_* | shim/doors.h) REPLY=doors ;;
	shim/connection.* | shim/connection_hello.* | shim/verdict.* | shim/answering.* | shim/choosing.* | shim/counting.* | shim/observing.* | shim/requests.* | shim/silence.* | shim/spelling.*) REPLY=shim/connection ;;
	shim/guard*) REPLY=shim/guard ;;
	shim/journal*) REPLY=shim/journal ;;
	shim/policy_*) REPLY=shim/policy_in_force ;;
	shim/compat.h | shim/hooks.h | shim/libc.* | shim/libc_names.h | shim/hooks.def) REPLY=shim/hooks ;;
	*) REPLY=${1%.*} ;;
	esac
}

# REPLY: the file that an #include "NAME" in FILE means, below ROOT; NAME below generated/ where there is none.
included_file() { # FILE NAME
	local folder
	for folder in "${1%/*}" shim policy cli; do
		if [[ -e $folder/$2 ]]; then
			REPLY=$folder/$2
			if [[ $2 == *..* ]]; then REPLY=$(realpath --relative-to=. "$REPLY"); fi
			return
		fi
	done
	REPLY=generated/$2
}

complain() { echo "$1" >>"$complaints"; }

check_includes() { # FILE
	local line name target from to part
	storey_of "$1"
	from=$REPLY
	part_of "$1"
	part=$REPLY
	if [[ -z $from ]]; then
		complain "$1:1: stands on no storey: tests/lint/directions.sh has to name it"
		return
	fi
	while IFS=: read -r line name; do
		included_file "$1" "$name"
		target=$REPLY
		part_of "$target"
		if [[ $target == */*.inc || $part == "$REPLY" ]]; then continue; fi
		storey_of "$target"
		to=$REPLY
		if [[ $1 == cli/* && $target == shim/* && $to -gt 1 ]]; then
			complain "$1:$line: the command may not include $name: trust, wire and policy only"
		elif ((from <= ${to:-99})); then
			complain "$1:$line: on storey $from, may not include $name, on ${to:-none}"
		fi
	done < <(sed -n '/^[ \t]*#[ \t]*include "/{=;s/.*"\(.*\)".*/\1/p}' "$1" | paste -d: - -)
}

# Comments and strings are taken out first; what begins in the first column is a definition, not a call.
strip_comments() { # FILE..., into `stripped`
	local file
	for file in "$@"; do
		mkdir -p "$stripped/${file%/*}"
		sed -e 's,/\*.*\*/,,g' -e '/\/\*/,/\*\//s,.*,,' -e 's/"\([^"\\]\|\\.\)*"//g' "$file" >"$stripped/$file"
	done
}

# Only the files ALLOWED (a pattern) among FILES may call one of NAMES (a pattern).
forbid_calls() { # REASON NAMES ALLOWED FILE...
	local reason=$1 names=$2 allowed=$3 file others=()
	shift 3
	for file in "$@"; do
		if ! [[ $file =~ ^($allowed)$ ]]; then others+=("$file"); fi
	done
	(cd "$stripped" && awk -v reason="$reason" -v call="(^|[^A-Za-z0-9_])($names)[ \t]*\\\\(" '
		/^[ \t]/ && $0 ~ call { print FILENAME ":" FNR ": " reason ":" $0 }' "${others[@]}") >>"$complaints"
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
strip_comments "${guest[@]}"
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
