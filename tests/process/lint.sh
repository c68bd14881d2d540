#!/bin/bash
# lint.sh - each rule of tests/lint notices its breach: in a small tree, and in small libraries, made here.
set -uo pipefail
# shellcheck source=tests/tap.sh
source tests/tap.sh
lint=$PWD/tests/lint
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

tree() { # a sound one, anew
	rm -rf "$scratch/tree"
	mkdir -p "$scratch"/tree/{policy,cli,shim/trust,shim/wire}
	cd "$scratch/tree" || exit 1
	local name
	for name in policy/policy shim/trust/trust shim/wire/hello shim/journal shim/boot shim/openssl shim/libc shim/connection \
		shim/guard shim/refuse cli/check; do
		echo "/* $name.h - exit(1) stands in a comment */" >"$name.h"
		echo "#include \"${name##*/}.h\"" >"$name.c"
	done
	printf '#include "policy.h"\nstatic void f(void)\n{\n\tg("write(1)"); /* write(1) */\n}\n' >>shim/connection.c
	printf '#include "connection.h"\n' >shim/door_context.c
	echo '#include "journal.h"' >shim/doors.h
	cd "$OLDPWD" || exit 1
}

# FILE gets LINE added; the rule must then say PATTERN about it.
breach() { # FILE LINE PATTERN
	tree
	printf '%b\n' "$2" >>"$scratch/tree/$1"
	refuses 1 "^$1:[0-9]+: .*$3" "$lint/directions.sh" "$scratch/tree"
}

tree
check 'a tree that keeps the directions passes' "$lint/directions.sh" "$scratch/tree"
while IFS='|' read -r sentence file line pattern; do
	check "$sentence" breach "$file" "$line" "$pattern"
done <<'END'
the policy may not include the shim|policy/policy.c|#include "journal.h"|may not include journal.h
the policy may not include OpenSSL|policy/policy.c|#include <openssl/ssl.h>|no OpenSSL
the wire may not include OpenSSL|shim/wire/hello.c|#include <openssl/ssl.h>|no OpenSSL
the wire may not include its neighbour, trust|shim/wire/hello.c|#include "trust/trust.h"|may not include trust/trust.h
trust may not include the connection|shim/trust/trust.c|#include "../connection.h"|may not include ../connection.h
the journal may not include a worker|shim/journal.c|#include "guard.h"|may not include guard.h
a worker may not include another worker|shim/guard.c|#include "refuse.h"|may not include refuse.h
a worker may not include the connection|shim/guard.c|#include "connection.h"|may not include connection.h
the connection may not include a door|shim/connection.c|#include "door_context.c"|may not include door_context.c
the connection may not include what doors share|shim/connection.c|#include "doors.h"|may not include doors.h
the command may not include the journal|cli/check.c|#include "journal.h"|the command may not include journal.h
the command may not include a table of the shim|cli/check.c|#include "libc.h"|the command may not include libc.h
a file of the shim has a storey|shim/novelty.c|#include "policy.h"|stands on no storey
only openssl.c and libc.c call dlsym|shim/connection.c|\tdlsym(a, b);|look symbols up
only boot.c reads the environment|shim/connection.c|\tx = secure_getenv("A");|environment
the policy does not read the environment|policy/policy.c|\tx = getenv("A");|environment
only journal.c writes|shim/connection.c|\twrite(2, x, 1);|writes
a guest does not call exit|shim/connection.c|\texit(1);|end its host
a guest does not assert|shim/trust/trust.c|\tassert(x);|end its host
a guest does not print|shim/connection.c|\tprintf("x");|print
a guest starts no thread|shim/connection.c|\tpthread_create(a);|no thread
END

# SOURCE as a library with the flags of ours, and a list of one hook.
library() { # SOURCE [FLAG...]
	local source=$1
	shift
	printf 'HOOK(SSL_accept, MUST)\nLIBC(listen, MUST)\nCALL(SSL_get_fd, MUST)\nHOOK(SSL_CTX_new_soon, MAY)\n' >"$scratch/hooks.def"
	printf '%s\nint SSL_accept(void) { return 1; }\nint listen(void) { return 1; }\nint SSL_CTX_new_soon(void) { return 1; }\n' \
		"$source" >"$scratch/library.c"
	"${CC:-gcc}" -shared -fPIC -w -o "$scratch/library.so" "$scratch/library.c" -U_FORTIFY_SOURCE \
		-Wl,-z,relro,-z,now,-z,noexecstack,-z,nodelete "$@"
}
exports() { # PATTERN SOURCE [LIST LINE]
	library "$2" && echo "${3:-}" >>"$scratch/hooks.def" &&
		refuses 1 "$1" "$lint/exports.sh" "$scratch/library.so" "$scratch/hooks.def"
}
imports() { # PATTERN SOURCE [FLAG...]
	local pattern=$1
	shift
	library "$@" && refuses 1 "$pattern" "$lint/imports.sh" "$scratch/library.so"
}
sound_library() {
	library '' && "$lint/exports.sh" "$scratch/library.so" "$scratch/hooks.def" && "$lint/imports.sh" "$scratch/library.so"
}

check 'a library that does what its list says passes' sound_library
check 'a hook that is listed must be exported' exports 'SSL_read: listed, but not exported' '' 'HOOK(SSL_read, MUST)'
check 'what is exported must be listed' exports 'spare: exported, but not listed' 'int spare(void) { return 1; }'
check 'a hook that is hidden is noticed' exports 'SSL_read: defined like a function of OpenSSL' \
	'__attribute__((visibility("hidden"))) int SSL_read(void) { return 1; }'
check 'a function that OpenSSL must have is looked for there' exports 'SSL_no_such: listed as MUST' '' 'CALL(SSL_no_such, MUST)'
check 'a function that trust borrows is looked for there' exports 'X509_no_such: listed as MUST' '' 'TRUST(X509_no_such)'
check 'a function that libc must have is looked for there' exports 'no_such: listed as MUST, but this libc' '' 'LIBC(no_such, MUST)'
check 'a function is listed once' exports 'SSL_get_fd: listed twice' '' 'CALL(SSL_get_fd, MAY)'

check 'an import that glibc lacks is noticed' imports 'no_such: imported, but glibc' 'int no_such(void); int f(void) { return no_such(); }'
check 'an import that musl lacks is noticed' imports '__libc_start_call_main|malloc_info: imported, but musl' \
	'int malloc_info(void); int f(void) { return malloc_info(); }'
check 'a name of _FORTIFY_SOURCE is noticed' imports '__memcpy_chk: imported, a name of' \
	'int __memcpy_chk(void); int f(void) { return __memcpy_chk(); }'
check 'another library is noticed' imports 'needs another library: libssl' 'int SSL_read(void); int f(void) { return SSL_read(); }' -lssl
check 'lazy binding is noticed' imports 'not linked with -z now' '' -Wl,-z,lazy
check 'an executable stack is noticed' imports 'its stack is executable' '' -Wl,-z,execstack
check 'missing relro is noticed' imports 'not linked with -z relro' '' -Wl,-z,norelro
finish
