# shellcheck shell=bash
# isolation.sh - what a script in namespaces of its own (unshare --mount --pid --net --ipc) furnishes them with: an own loopback,
# and the unpacked packages of `make setup-servers` where servers expect them.  Nothing of the machine changes.
unpacked=${XDG_CACHE_HOME:-$HOME/.cache}/cfshim/servers/root
work=/mnt/work
machine=/mnt/machine # what lies below the unpacked packages

isolate() { # MORE-ROOTS...
	local directory root lower
	ip link set lo up
	mount -t tmpfs -o mode=755 tmpfs /mnt
	mkdir -p "$machine/usr"
	mount --bind /usr "$machine/usr"
	for directory in usr etc var opt; do
		lower=
		for root in "$@" "$unpacked"; do
			if [[ -d $root/$directory ]]; then lower+=$root/$directory:; fi
		done
		if [[ -z $lower ]]; then continue; fi
		mkdir -p "/mnt/.$directory/new" "/mnt/.$directory/work"
		mount -t overlay overlay -o "lowerdir=$lower/$directory,upperdir=/mnt/.$directory/new,workdir=/mnt/.$directory/work" "/$directory"
	done
	mkdir -p "$work"
	# Others' sockets and process files are not for these servers.
	if [[ -d /run ]]; then mount -t tmpfs -o mode=755 tmpfs /run; fi
}

user() { # NAME NUMBER: one that its package would have made
	grep -q "^$1:" /etc/passwd || echo "$1:x:$2:$2::/nonexistent:/usr/sbin/nologin" >>/etc/passwd
	grep -q "^$1:" /etc/group || echo "$1:x:$2:" >>/etc/group
}
