# shellcheck shell=bash disable=SC2154
# root.sh - for scripts that run something in the root of another Debian, as matrix.sh does: how one is made, furnished, entered.
#
# They say, as variables: `suite`, the Debian; `root`, its folder below `roots`; `log`, which gets all output; and, as a function,
# `say`; where they count in another way than `passed`, `failed` and `skipped`, also `skip_suite` and `fail`.  With a `layer`, a
# folder, the root stays as it is, and what is written goes there, and is kept.
roots=${XDG_CACHE_HOME:-$HOME/.cache}/cfshim/roots
oldest=bullseye
layer=  # none
tree=   # where this tree is copied to; below the layer, where there is one
inside= # the process that holds the namespaces

skip_suite() { # REASON
	say "SKIPPED: $1"
	((++skipped))
}
fail() { # WHAT, whose output stands at the end of the log
	tail -n 40 "$log" | sed 's/^/    /'
	say "FAILED: $1"
	((++failed))
}

# What is wanting to enter roots at all.
roots_need() {
	local command
	for command in debootstrap unshare setpriv flock ip; do
		command -v "$command" >/dev/null || { echo "$command is missing: make setup check-matrix installs it" && return; }
	done
	if ((EUID != 0)) || ! unshare --mount --pid --ipc --net --fork true 2>/dev/null; then
		echo 'this takes root, and namespaces (in a container: a privileged one), to enter its roots'
	fi
}

# Another run has the roots until it ends.  Whatever ends us ends what is in them.
roots_take() { # WHO
	trap 'if [[ -n $inside ]]; then kill -KILL "$inside" 2>/dev/null; wait "$inside"; fi; exit 130' INT TERM HUP
	mkdir -p "$roots" || return 1
	roots=$(realpath "$roots")
	exec 9>"$roots/lock"
	flock -n 9 || { echo "$1: another run has the roots; waiting for its end" && flock 9; }
}

# COMMAND in new namespaces, which end with it, and with us; the kernel's word is the only one that is sure to be heard.
isolated() { # NAMESPACE COMMAND...; --net is one without a way out
	setpriv --pdeathsig KILL unshare --mount --pid --ipc "$1" --fork --kill-child "${@:2}" >>"$log" 2>&1 </dev/null 9>&- &
	inside=$!
	wait "$inside"
}

# What stands between the namespaces and COMMAND: what a root needs besides its files.  The oldest root stands in the others
# where make looks for an OpenSSL 1.1.1.
# shellcheck disable=SC2016 # the variables are those of the inner shell
entrance='
	set -eu
	root=$1 limit=$2 network=$3 old=$4 layer=$5
	shift 5
	if [[ $layer ]]; then
		mkdir -p "$layer/new" "$layer/work" "$layer/root"
		mount -t overlay overlay -o "lowerdir=$root,upperdir=$layer/new,workdir=$layer/work" "$layer/root"
		root=$layer/root
	fi
	mount -t proc proc "$root/proc"
	mount --rbind /dev "$root/dev"
	mount -t tmpfs shm "$root/dev/shm"
	mount -t tmpfs tmp "$root/tmp"
	place=$root/root/.cache/cfshim/roots/${old##*/}
	if [[ ! $layer && $old != "$root" && -d $old ]]; then
		mkdir -p "$place"
		mount --bind "$old" "$place"
		mount -o remount,bind,ro "$place"
	fi
	case $network in
	none) ip link set lo up ;;
	*) cp -L --remove-destination /etc/resolv.conf "$root/etc/resolv.conf" ;;
	esac
	status=0
	timeout -s KILL "$limit" chroot "$root" "$@" || status=$?
	exit "$status"
'
in_root() { # SECONDS NETWORK COMMAND..., where NETWORK is `none` or `shared`; COMMAND starts in the tree
	local limit=$1 network=$2 namespace=--net name environment=(PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root)
	shift 2
	if [[ $network == shared ]]; then namespace=--mount; fi
	for name in CI http_proxy https_proxy no_proxy CFSHIM_LIBRARY; do
		if [[ -n ${!name:-} ]]; then environment+=("$name=${!name}"); fi
	done
	isolated "$namespace" bash -c "$entrance" entrance "$root" "$limit" "$network" "$roots/$oldest" "$layer" \
		env -i -C "/${tree##*/}" "${environment[@]}" "$@"
}

# COMMAND, whose last line is the sum, as tests/run.sh has it.  Sets `output_from`, its first line in the log.
run_and_count() { # SECONDS COMMAND...
	local p='' f='' s=''
	output_from=$(($(wc -l <"$log") + 1))
	in_root "$1" none "${@:2}"
	read -r p f s < <(tail -n "+$output_from" "$log" | tail -n 1 | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p')
	if [[ -z $s ]]; then
		fail 'the tests came to no end'
		return 1
	fi
	((passed += p, failed += f, skipped += s))
	return 0
}

# No service is started there, ever.
services_forbid() {
	local folder=${layer:+$layer/new}
	folder=${folder:-$root}/usr/sbin
	mkdir -p "$folder"
	printf '#!/bin/sh\nexit 101\n' >"$folder/policy-rc.d"
	chmod 755 "$folder/policy-rc.d"
}

mirror_answers() { in_root 120 shared apt-get update -qq -o APT::Update::Error-Mode=any; }

root_make() {
	local status=0
	if [[ -d $root ]]; then return 0; fi
	say 'making its root'
	rm -rf --one-file-system "$root.new"
	isolated --mount timeout -k 10 900 debootstrap --force-check-gpg --variant=minbase --include=make "$suite" "$root.new" || status=$?
	if ((status == 0)); then
		mkdir -p "$root.new/src" && mv "$root.new" "$root" && return
	fi
	rm -rf --one-file-system "$root.new"
	if ((status == 124)) || grep -qE "Failed getting release|Couldn't download" "$log"; then
		skip_suite 'it has no root yet, and no mirror answers'
	else
		fail "debootstrap ended with $status"
	fi
	return 1
}

# COMMAND..., which installs packages.
packages_install() { # COMMAND...
	if in_root 900 shared "$@"; then return 0; fi
	if mirror_answers; then
		fail 'packages are missing'
	else
		skip_suite 'packages are missing in its root, and no mirror answers'
	fi
	return 1
}

# The tree as it is here, into `tree`.  A file that is as it was keeps its time, so that only what changed is built; one that
# went takes what was built with it.
tree_copy() {
	local new=$tree.new file
	rm -rf --one-file-system "$new"
	mkdir -p "$tree" "$new"
	git ls-files -z -co --exclude-standard | while IFS= read -r -d '' file; do
		if [[ -e $file ]]; then printf '%s\0' "$file"; fi
	done | tar -c --null -T - 2>>"$log" | tar -x -m --no-same-owner -C "$new" || { fail 'the tree was not copied' && return 1; }
	(cd "$new" && find . -type f -exec sh -c 'for file; do
		if cmp -s "$file" "$0/$file"; then touch -r "$0/$file" "$file"; fi
	done' "$tree" {} +)
	if [[ -d $tree/build ]] && diff <(files_below "$new") <(files_below "$tree") | grep -q '^>'; then
		rm -rf --one-file-system "$tree/build"
	fi
	if [[ -d $tree/build ]]; then mv "$tree/build" "$new/build"; fi
	rm -rf --one-file-system "$tree"
	mv "$new" "$tree"
}
files_below() { (cd "$1" && find . -path ./build -prune -o -type f -print | sort); }
