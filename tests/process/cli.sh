#!/bin/bash
# cli.sh - the command: what each verb does, what it refuses, and how it ends.
#
# BUILD          where cfshim and libcfshim.so are
# PRELOAD_FIRST  the runtime of a sanitizer, where the library was built with one
set -uo pipefail
# shellcheck source=tests/tap.sh
source tests/tap.sh
build=$(realpath "${BUILD:-build}") || exit 1
cfshim=$build/cfshim
library=$build/libcfshim.so
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch" # also for a user that is not us
unset CFSHIM_POLICY CFSHIM_LOG LD_PRELOAD NO_COLOR
source=$PWD
cd "$scratch" || exit 1

preloading=(env)
if [[ -n ${PRELOAD_FIRST:-} ]]; then preloading+=("LD_PRELOAD=$PRELOAD_FIRST"); fi
# A folder of PATH that must not be looked into is no absence: as env, 126.
run() { "${preloading[@]}" PATH=/usr/bin:/bin "$cfshim" run "$@"; }

ends_with() { # STATUS COMMAND...
	local expected=$1 status=0
	shift
	"$@" || status=$?
	echo "ended with $status"
	((status == expected))
}

# What COMMAND prints on stdout.
prints() { # TEXT COMMAND...
	local expected=$1 output
	shift
	output=$("$@") || return
	printf 'expected: %s\nprinted:  %s\n' "$expected" "$output"
	[[ $output == "$expected" ]]
}

silent_on_stdout() { # STATUS COMMAND..., and exactly one line on stderr
	local expected=$1 status=0
	shift
	"$@" >silent.out 2>silent.err || status=$?
	cat silent.out silent.err
	((status == expected)) && [[ ! -s silent.out ]] && (($(wc -l <silent.err) == 1))
}

# --- the command as such
check 'help lists every verb and ends with 0' refuses 0 '^test-ca +DIRECTORY' "$cfshim" --help
check 'the help of one verb shows its use' refuses 0 '^usage: cfshim check \[FILE\] \[--print\]$' "$cfshim" check --help
check 'no verb is a mistake of usage' refuses 2 'a verb is missing' "$cfshim"
check 'an unknown verb is a mistake of usage, and is named' refuses 2 'no verb "inspect"' "$cfshim" inspect
check 'an unknown option of check is a mistake of usage' refuses 2 'no option --loud' "$cfshim" check --loud
check 'a second file for check is a mistake of usage' refuses 2 'too much' "$cfshim" check a b
check 'an unknown option of run is a mistake of usage' refuses 2 'no option --rule' "$cfshim" run --rule x true
check 'run without a command is a mistake of usage' refuses 2 'command to run is missing' "$cfshim" run --
check 'run with --policy and no file is a mistake of usage' refuses 2 'takes a file' "$cfshim" run --policy
check 'test-ca without a directory is a mistake of usage' refuses 2 'one directory' "$cfshim" test-ca
check 'an option of test-ca is a mistake of usage' refuses 2 'no option --force' "$cfshim" test-ca --force
check 'an argument of version is a mistake of usage' refuses 2 'too much' "$cfshim" version now
check 'help is readable at 80 columns' prints '' awk 'length > 80' <("$cfshim" --help)
check 'version names this version' refuses 0 '^cfshim [0-9]+\.[0-9]+\.[0-9]+' "$cfshim" version
check 'version names the OpenSSL at hand' refuses 0 "^OpenSSL here: +$(openssl version | cut -d' ' -f1,2)" "$cfshim" version
check '--version is version' prints "$("$cfshim" version)" "$cfshim" --version
if [[ -w /dev/full ]]; then
	full() { "$cfshim" --help >/dev/full; }
	check 'output that cannot be written is an error' refuses 1 'cannot be written' full
else
	skip 'output that cannot be written is an error' 'no /dev/full here'
fi

# --- test-ca

check 'test-ca makes its directory, and says how to use what is in it' refuses 0 '^cfshim run --policy' "$cfshim" test-ca ca
check 'the directory is for its owner only' prints 700 stat -c %a ca
check 'every key is for its owner only' prints 600 bash -c 'stat -c %a ca/*.key | sort -u'
certificates=(ca edge edge-no-eku edge-chain self-signed other-ca other impostor expired not-yet-valid wrong-purpose
	expired-ca server-ca server)
check 'test-ca makes these certificates and no others' prints "$(printf 'ca/%s.pem\n' "${certificates[@]}" | sort)" \
	bash -c 'ls ca/*.pem | sort'
check 'test-ca names every certificate in its output' prints '' comm -23 \
	<(printf '%s.pem\n' "${certificates[@]}" | sort) <("$cfshim" test-ca named | awk '{ print $1 }' | sort)

verify_client() { openssl verify -purpose sslclient -CAfile ca/ca.pem -untrusted "ca/$1.pem" "ca/$1.pem"; }
for name in edge edge-no-eku edge-chain; do
	check "$name is a client of ca" refuses 0 'OK$' verify_client "$name"
done
while read -r name error; do
	check "$name is refused: $error" refuses 2 "$error" verify_client "$name"
done <<'END'
self-signed error 18 at 0 depth
other error 20 at 0 depth
impostor error 7 at 0 depth
expired error 10 at 0 depth
not-yet-valid error 9 at 0 depth
wrong-purpose error 26 at 0 depth
END
check 'other is a client of other-ca' refuses 0 'OK$' openssl verify -purpose sslclient -CAfile ca/other-ca.pem ca/other.pem
check 'edge-chain needs the intermediate in its file' refuses 2 'error 20 at 0 depth' \
	openssl verify -purpose sslclient -CAfile ca/ca.pem ca/edge-chain.pem
check 'expired would be good but for its date' refuses 0 'OK$' \
	openssl verify -purpose sslclient -no_check_time -CAfile ca/ca.pem ca/expired.pem
check 'not-yet-valid would be good but for its date' refuses 0 'OK$' \
	openssl verify -purpose sslclient -no_check_time -CAfile ca/ca.pem ca/not-yet-valid.pem
check 'edge is refused with expired-ca alone' refuses 2 'error 10 at 1 depth' \
	openssl verify -purpose sslclient -CAfile ca/expired-ca.pem ca/edge.pem
for name in localhost '*.example'; do
	expected=$([[ $name == localhost ]] && echo 0 || echo 2)
	check "server is a server for localhost: $name ends with $expected" ends_with "$expected" \
		openssl verify -purpose sslserver -CAfile ca/server-ca.pem -verify_hostname "$name" ca/server.pem
done
for address in 127.0.0.1 ::1; do
	check "server is a server for $address" refuses 0 'OK$' \
		openssl verify -purpose sslserver -CAfile ca/server-ca.pem -verify_ip "$address" ca/server.pem
done

public_key() { openssl x509 -in "ca/$1.pem" -noout -pubkey; }
field() { openssl x509 -in "ca/$1.pem" -noout "$2"; }
for key in ca/*.key; do
	name=$(basename "$key" .key)
	check "$name.key is the key of $name.pem, on P-256" prints "$(public_key "$name")" openssl pkey -in "$key" -pubout
done
check 'expired-ca has the key of ca' prints "$(public_key ca)" public_key expired-ca
check 'expired-ca has the name of ca' prints "$(field ca -subject)" field expired-ca -subject
check 'expired-ca has no key of its own' test ! -e ca/expired-ca.key
check 'impostor names the issuer of edge' prints "$(field edge -issuer)" field impostor -issuer
check 'other has the subject of edge' prints "$(field edge -subject)" field other -subject
extensions() { openssl x509 -in "ca/$1.pem" -noout -text | sed -n 's/^ *X509v3 \([A-Z][^:]*\):.*/\1/p' | sort | paste -sd,; }
check 'ca has what a CA must have' prints 'Basic Constraints,Key Usage,Subject Key Identifier' extensions ca
check 'edge has what a client must have' prints \
	'Authority Key Identifier,Basic Constraints,Extended Key Usage,Key Usage' extensions edge
check 'edge-no-eku has only basic constraints' prints 'Basic Constraints' extensions edge-no-eku
check 'impostor has no authority key identifier' prints 'Basic Constraints,Extended Key Usage,Key Usage' extensions impostor
serials() { for name in "${certificates[@]}"; do field "$name" -serial; done | sed 's/serial=//'; }
check 'no serial number occurs twice' prints '' uniq -d <(serials | sort)
check 'serial numbers are random ones of 128 bits: none is shorter than 96' prints '' awk 'length < 24' <(serials)
check 'ca is valid in 29 days' ends_with 0 openssl x509 -in ca/ca.pem -noout -checkend $((29 * 86400))
check 'ca has expired in 31 days' ends_with 1 openssl x509 -in ca/ca.pem -noout -checkend $((31 * 86400))

before=$(sha256sum ca/*)
check 'a second test-ca does not overwrite, and says of what' refuses 1 'ca/ca.pem: is there already' "$cfshim" test-ca ca
check 'a second test-ca changed nothing' prints "$before" sha256sum ca/*
mkdir half && echo mine >half/wrong-purpose.key
check 'one file in the way is enough' refuses 1 'half/wrong-purpose.key: is there already' "$cfshim" test-ca half
check 'with a file in the way nothing is written' prints wrong-purpose.key ls half
mkdir linked && ln -s ../elsewhere linked/edge.key
check 'a dangling link is in the way too' refuses 1 'linked/edge.key: is there already' "$cfshim" test-ca linked
check 'test-ca into a file is an error' refuses 1 'half/wrong-purpose.key: Not a directory' "$cfshim" test-ca half/wrong-purpose.key
check 'test-ca below a folder that is missing is an error' refuses 1 'No such file' "$cfshim" test-ca missing/ca
for directory in policy-of 'with blanks, and a comma'; do
	"$cfshim" test-ca "$directory" | sed -n '/^\[port/,/^ca/p' >printed.conf
	check "the policy that test-ca prints for \"$directory\" is one" refuses 0 'CN=cfshim test CA' "$cfshim" check printed.conf
done

# --- check

cat ca/ca.pem ca/expired-ca.pem >both.pem
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -out origin.pem -days 1000 2>/dev/null \
	-subj '/C=US/O=CloudFlare, Inc./OU=CloudFlare Origin SSL ECC Certificate Authority'
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout long-ca.key -out long-ca.pem -days 1000 2>/dev/null \
	-subj '/CN=cfshim long CA'
policy() { printf '%b\n' "$1" >policy.conf; }
checks() { # TEXT STATUS PATTERN: `cfshim check` of a policy with this text
	policy "$1"
	refuses "$2" "$3" "$cfshim" check policy.conf
}

if [[ -e /etc/cfshim/policy.conf ]]; then
	skip 'without a policy file the built-in policy is checked' 'there is one at the default path'
else
	check 'without a policy file the built-in policy is checked' refuses 0 'built in \(there is no ' "$cfshim" check
	check 'the built-in policy demands a certificate of the edge' refuses 0 \
		'^port \* +require +reject +CN=origin-pull.cloudflare.net +[0-9]+$' "$cfshim" check
fi
policy '[port 81]'
check 'the file named in the environment is checked' refuses 0 '^policy +policy.conf \(named by CFSHIM_POLICY\)' \
	env CFSHIM_POLICY=policy.conf "$cfshim" check
check 'a file that is named is checked, whatever the environment says' refuses 0 '^port 81 ' \
	env CFSHIM_POLICY=/nonexistent "$cfshim" check policy.conf
check 'a file in the environment that cannot be read is an error' refuses 1 '^/nonexistent: no such file' \
	env CFSHIM_POLICY=/nonexistent "$cfshim" check
check 'a file that is missing is an error' refuses 1 '^missing.conf: no such file' "$cfshim" check missing.conf
check 'a directory is no policy' refuses 1 '^ca: not a regular file' "$cfshim" check ca
mkfifo pipe
check 'a pipe is no policy, and is not waited for' refuses 1 '^pipe: not a regular file' timeout 10 "$cfshim" check pipe
head -c 4194305 /dev/zero | tr '\0' '#' >large.conf
check 'a file over 4 MiB is no policy' refuses 1 'large.conf: the file is over 4 MiB' "$cfshim" check large.conf

full_policy="log = json:/var/log/edge.json\n[port 443, 8443]\nca = $scratch/ca/ca.pem, cloudflare\nrefuse = close reset
[port 127.0.0.1:8443, [::1]:8443]\nca = $scratch/ca/other-ca.pem\nrefuse = close\n[port 25]\nverify = off\n[port *]"
while IFS='|' read -r sentence pattern; do
	check "the table shows $sentence" checks "$full_policy" 0 "$pattern"
done <<'END'
where the log goes|^log +json:/var/log/edge.json$
a list of ports, its answer and a CA|^port 443, 8443 +require +close reset +CN=origin-pull.cloudflare.net +[0-9]+$
another CA below|^ +CN=cfshim test CA +[0-9]+$
a list of addresses, its answer and its CA|^port +require +close +CN=cfshim other CA +[0-9]+$
a list of addresses over several lines where there is no room|^127.0.0.1:8443,$
that a port is not enforced|^port 25 +off +- +- +-$
the rule for all other ports|^port \* +require +reject +CN=origin-pull.cloudflare.net
END
is_narrow() { "$cfshim" check policy.conf 2>/dev/null | awk 'length > 80 { exit wide = 1 } END { exit wide || NR < 10 }'; }
check 'the table has no line over 80 columns' is_narrow
policy "[port 81]\nca = $scratch/long-ca.pem"
check 'a policy without mistake or warning prints nothing on stderr' prints '' bash -c "$cfshim check policy.conf 2>&1 >/dev/null"

check 'a mistake is shown with file, line and column' checks '[port 1]\nverify = maybe' 1 '^policy.conf:2:10: .*"maybe"'
check 'a mistake is shown with its line' checks '[port 1]\nverify = maybe' 1 '^verify = maybe$'
check 'a mistake is shown with a caret under its column' checks '[port 1]\nverify = maybe' 1 '^         \^$'
check 'a key of a later version is a mistake' checks '[port 1]\nocsp = on' 1 '^policy.conf:2:1: unknown key "ocsp"'
check 'all mistakes are counted' checks '[port 1]\nverify = maybe\nrefuse = softly' 1 '^2 errors; .*refuses every client'
check 'with a mistake there is no table' prints 'policy  policy.conf (named here)' bash -c "$cfshim check policy.conf 2>/dev/null; :"
while IFS='|' read -r sentence value status pattern; do
	check "$sentence" checks "[port 1]\nca = $value" "$status" "$pattern"
done <<END
a CA file that is missing is an error|$scratch/none.pem|1|^policy.conf:2:6: .*none.pem: no such file
a CA file without a certificate is an error|$scratch/ca/ca.key|1|^policy.conf:2:6: .*ca.key: no CA certificate
a CA file with a leaf only is an error|$scratch/ca/edge.pem|1|^policy.conf:2:6: .*edge.pem: no CA certificate
a CA that is a directory is an error|$scratch/ca|1|^policy.conf:2:6: .*ca: not a regular file
an expired CA alone is an error|$scratch/ca/expired-ca.pem|1|^policy.conf:2:6: .*expired-ca.pem: .*expired
an expired CA beside a valid one is a warning|$scratch/both.pem|0|^policy.conf:2:6: warning: .*both.pem: .*expired
an expired CA beside a valid one is in the table|$scratch/both.pem|0|^ +CN=cfshim test CA +expired$
a CA that expires soon is a warning|$scratch/ca/ca.pem|0|^policy.conf:2:6: warning: .*CN=cfshim test CA expires in [0-9]+ days
the Origin CA root is named as the mix-up|$scratch/origin.pem|0|warning: .*Origin CA.* write cloudflare
END
check 'warnings are counted' checks "[port 1]\nca = $scratch/ca/ca.pem" 0 '^1 warning$'
check 'the CA that all customers of Cloudflare share is a warning' checks '[port 1]' 0 \
	'^policy.conf:1:1: warning: any Cloudflare customer can reach this port'

own="ca = $scratch/long-ca.pem"
printf '192.0.2.0/24\n10.0.0.1/8\n' >peers.txt
while IFS='|' read -r key text status pattern; do
	check "check of $key: $pattern" checks "$text" "$status" "$pattern"
done <<END
verify = observe|[port 1]\n$own\nverify = observe|0|^policy.conf:3:1: warning: observe admits everybody
verify = observe until|[port 1]\n$own\nverify = observe until 2400-01-01|0|^port 1 +observe until
crl|[port 1]\n$own\ncrl = $scratch/none.crl|1|^policy.conf:3:7: .*none.crl: no such file
client-cert|[port 1]\n$own\nclient-cert = cn:a|0|client-cert
only-names|[port 1]\nonly-names = a.example|0|only-names
from|[port 1]\n$own\nfrom = private|0|from
from in a file|[port 1]\n$own\nfrom = $scratch/peers.txt|1|^policy.conf:3:8: .*/peers.txt:2:1: 10.0.0.1/8 has bits set behind its prefix
from in a file that is missing|[port 1]\n$own\nfrom = $scratch/none.txt|1|^policy.conf:3:8: .*/none.txt: no such file
exempt|[port 1]\n$own\nexempt = loopback|0|^policy.conf:3:10: warning: .*comes from loopback
proxy-protocol|[port 1]\n$own\nproxy-protocol = 192.0.2.1|0|proxy-protocol
plaintext|[port 1]\n$own\nplaintext = allow|0|^policy.conf:3:1: warning: clients that do not speak TLS
acme|[port 1]\n$own\nacme = allow|0|acme
a server section|[port 1]\n$own\n[port 1 server a.example]\nrefuse = close|0|^port 1 server +require +close
END

touch shared.pem && cp long-ca.pem shared.pem && chmod 666 shared.pem
check 'a CA that everybody may write is a warning' checks "[port 1]\nca = $scratch/shared.pem" 0 \
	'^policy.conf:2:6: warning: .*shared.pem can be written by everybody'
policy "[port 1]\nca = $scratch/long-ca.pem"
mkdir -m 777 open && cp policy.conf open
check 'a policy in a folder that everybody may write is a warning' refuses 0 '^open/policy.conf: warning: open can be written by everybody' \
	"$cfshim" check open/policy.conf
chmod 1777 open
check 'a sticky folder is not' prints '' bash -c "$cfshim check open/policy.conf 2>&1 >/dev/null"
chmod 755 open && chgrp 65534 open/policy.conf && chmod 664 open/policy.conf
check 'a policy that a group may write is a warning' refuses 0 '^open/policy.conf: warning: .* can be written by its group' \
	"$cfshim" check open/policy.conf

# The examples, with the files that they name below a folder of this test.
mkdir etc
printf '[ca]\ndefault_ca=a\n[a]\ndatabase=%s\ndefault_md=sha256\ndefault_crl_days=30\n' "$scratch/etc/index" >etc/ca.cnf && touch etc/index
openssl ca -config etc/ca.cnf -gencrl -cert long-ca.pem -keyfile long-ca.key -out etc/list.crl 2>/dev/null
example_is_good() { # FILE
	local name
	sed "s,/etc/cfshim/,$scratch/etc/,g" "$1" >example.conf
	grep -oE "\"$scratch/etc/[^\"]+|$scratch/etc/[^\",# ]+" example.conf | tr -d '"' | sort -u | while read -r name; do
		case $name in
		*crl*) cp etc/list.crl "$name" ;;
		*.txt) echo 192.0.2.0/24 >"$name" ;;
		*) cp long-ca.pem "$name" ;;
		esac
	done
	"$cfshim" check example.conf
}
for example in "$source"/examples/policies/*.conf; do
	check "the example ${example##*/} is good" example_is_good "$example"
done

# --- explain

explains() { # TEXT STATUS PATTERN ARGUMENTS...
	local text=$1 status=$2 pattern=$3
	shift 3
	policy "$text"
	refuses "$status" "$pattern" "$cfshim" explain --policy policy.conf "$@"
}
two="[port 443]\nca = $scratch/ca/ca.pem\nrefuse = close\n[port 8443]\nverify = off\n[port 127.0.0.1:443]\nverify = off"
while IFS='|' read -r sentence status pattern arguments; do
	read -ra words <<<"$arguments"
	check "explain: $sentence" explains "$two" "$status" "$pattern" "${words[@]}"
done <<'END'
a client without a certificate is refused|1|^verdict +refused: no-certificate: the client sent no certificate$|--port 443
the answer is told|1|^answer +close$|--port 443
the section is told|1|^section +\[port 443\], line 1$|--port 443
the edge is admitted|0|^verdict +admitted|--port 443 --cert ca/edge.pem
a chain is admitted|0|^verdict +admitted|--port=443 --cert=ca/edge-chain.pem
another CA is not|1|refused: untrusted-issuer|--port 443 --cert ca/other.pem
an expired certificate is not|1|refused: expired|--port 443 --cert ca/expired.pem
a server's certificate is not|1|refused: wrong-purpose|--port 443 --cert ca/wrong-purpose.pem
a port that is off is open|0|^verdict +open: verify = off|--port 8443
an address has a section of its own|0|^section +\[port 127.0.0.1:443\], line 6$|--port 443 --address 127.0.0.1
without an address that is noted|1|^note +some addresses of this port|--port 443
a port that is not named is enforced|1|^section +\[port \*\], the built-in default|--port 444
a certificate that cannot be read is an error|1|none.pem: no certificate|--port 443 --cert none.pem
without a port there is no answer|2|--port is missing|--cert ca/edge.pem
port 0 is none|2|--port takes a number from 1|--port 0
port 65536 is none|2|--port takes a number from 1|--port 65536
a name is no address|2|--peer takes an IP address, not localhost|--port 443 --peer localhost
an unknown option is a mistake of usage|2|no option --sni|--port 443 --sni x
an option without its value is a mistake of usage|2|--peer takes a value|--port 443 --peer
END
check 'explain: a policy with a mistake refuses, and says where' explains '[port 1]\nverify = maybe' 1 '^policy.conf:2:10: ' --port 1
while IFS='|' read -r sentence text status pattern arguments; do
	read -ra words <<<"$arguments"
	check "explain: $sentence" explains "$text" "$status" "$pattern" "${words[@]}"
done <<END
a peer that may not connect|[port 443]\nca = $scratch/ca/ca.pem\nfrom = private|1|refused: peer-address|--port 443 --peer 192.0.2.1 --cert ca/edge.pem
a peer that may|[port 443]\nca = $scratch/ca/ca.pem\nfrom = private|0|verdict +admitted|--port 443 --peer 10.1.1.1 --cert ca/edge.pem
an exempt peer|[port 443]\nca = $scratch/ca/ca.pem\nexempt = 192.0.2.1|0|verdict +exempt|--port 443 --peer 192.0.2.1
another peer is not exempt|[port 443]\nca = $scratch/ca/ca.pem\nexempt = 192.0.2.1|1|no-certificate|--port 443 --peer 192.0.2.2
no peer is not exempt|[port 443]\nca = $scratch/ca/ca.pem\nexempt = 192.0.2.1|1|no-certificate|--port 443
a name that is not allowed|[port 443]\nca = $scratch/ca/ca.pem\nonly-names = a.example|1|refused: server-name|--port 443 --server-name b.example --cert ca/edge.pem
a name that is|[port 443]\nca = $scratch/ca/ca.pem\nonly-names = a.example|0|admitted|--port 443 --server-name A.example. --cert ca/edge.pem
no name where names are asked for|[port 443]\nca = $scratch/ca/ca.pem\nonly-names = a.example|1|refused: server-name|--port 443 --cert ca/edge.pem
observe tells what would be|[port 443]\nca = $scratch/ca/ca.pem\nverify = observe|0|^verdict +observed: no-certificate|--port 443
observe tells of an address that may not connect|[port 443]\nca = $scratch/ca/ca.pem\nfrom = private\nverify = observe|0|^verdict +observed: peer-address|--port 443 --peer 192.0.2.1
where a name requires, an address is refused before the name is known|[port 443]\nca = $scratch/ca/ca.pem\nfrom = private\nverify = observe\nhosts = names-only\n[port 443 server a.example]\nverify = require|1|^verdict +refused: peer-address|--port 443 --peer 192.0.2.1
a day that has come|[port 443]\nca = $scratch/ca/ca.pem\nverify = observe until 2020-01-01|1|refused: no-certificate|--port 443
a server section|[port 443]\nca = $scratch/ca/ca.pem\n[port 443 server a.example]\nrefuse = close reset|1|^answer +close reset|--port 443 --server-name A.EXAMPLE
END

policy "$full_policy"
"$cfshim" check policy.conf --print >once.conf 2>/dev/null
cp once.conf again.conf
check 'the printed policy spells every default out' refuses 0 '^verify = require$' cat once.conf
check 'the printed policy prints as itself' prints "$(cat once.conf)" "$cfshim" check --print again.conf
check 'the printed policy has the same rules' prints "$("$cfshim" check policy.conf 2>/dev/null | tail -n +2)" \
	bash -c "$cfshim check once.conf 2>/dev/null | tail -n +2"
policy '[port 1]\nverify = maybe'
check 'a policy with a mistake is not printed' prints '' bash -c "$cfshim check policy.conf --print 2>/dev/null; :"
on_terminal() { # COMMAND...: what it prints there
	local command
	printf -v command '%q ' "$@"
	TERM=xterm script -qec "$command" /dev/null </dev/null
}
if command -v script >/dev/null; then
	check 'on a terminal headings are bold' refuses 0 $'\033''\[1mSECTION' on_terminal "$cfshim" check printed.conf
	check 'on a terminal a warning is yellow' refuses 0 $'\033''\[1;33m.*warning' on_terminal "$cfshim" check printed.conf
	colorless() { on_terminal env NO_COLOR=1 "$cfshim" check printed.conf | awk '/\033/ { exit 1 }'; }
	check 'on a terminal with NO_COLOR there is no colour' colorless
else
	skip 'on a terminal headings are bold' 'script is not installed'
fi
colorless_pipe() { TERM=xterm "$cfshim" check printed.conf 2>&1 | awk '/\033/ { exit 1 }'; }
check 'off a terminal there is no colour' colorless_pipe

# --- run: what it does

check 'run ends as the command does' ends_with 7 run sh -c 'exit 7'
check 'run ends with 0 where the command does' ends_with 0 run true
check 'run is ended by the signal that ends the command' ends_with 143 run sh -c 'kill -TERM $$'
becomes() { # in place of itself: a supervisor sees the program's own process
	"${preloading[@]}" "$cfshim" run sh -c 'echo $$' >pid &
	local started=$!
	wait "$started"
	[[ $(cat pid) == "$started" ]]
}
check 'run becomes the program, with its process id' becomes
check 'run preloads the library beside the command' refuses 0 "^LD_PRELOAD=(.*:)?$library\$" run env
check 'run keeps what was preloaded, behind the shim' refuses 0 "^LD_PRELOAD=(.*:)?$library:/nonexistent/b.so /c.so\$" \
	env LD_PRELOAD="${PRELOAD_FIRST:+$PRELOAD_FIRST:}/nonexistent/b.so /c.so" "$cfshim" run env
runtime=${PRELOAD_FIRST:-/nonexistent/libasan.so.8}
check 'run leaves the runtime of a sanitizer first' refuses 0 "^LD_PRELOAD=$runtime:$library:/nonexistent/b.so\$" \
	env LD_PRELOAD="$runtime:/nonexistent/b.so" "$cfshim" run env
policy '[port 1]'
check 'run hands on a policy with its absolute path' refuses 0 "^CFSHIM_POLICY=$scratch/policy.conf\$" \
	run --policy policy.conf env
check 'run takes --policy=FILE too' refuses 0 "^CFSHIM_POLICY=$scratch/policy.conf\$" run --policy=policy.conf -- env
check 'run leaves CFSHIM_POLICY as it was without --policy' refuses 0 '^CFSHIM_POLICY=/nonexistent$' \
	"${preloading[@]}" CFSHIM_POLICY=/nonexistent "$cfshim" run env
check 'an option behind the command is the command'\''s' prints '--policy x' run echo --policy x
check 'an option behind -- is the command'\''s' refuses 127 '^cfshim run: --policy: No such file' run -- --policy x

# --- run: what it refuses, at once, in one line on stderr

compiler=${CC:-gcc}
mkdir first second bin
printf '#!/bin/sh\necho from second\n' >second/tool
cp second/tool first/tool
chmod 755 second/tool
check 'a command that is nowhere in PATH is not found' silent_on_stdout 127 run no-such-command
check 'a path that is not there is not found' silent_on_stdout 127 run ./no-such-command
check 'an empty command is not found' silent_on_stdout 127 run ''
printf -v long '/%.0s' {1..5000}
check 'a path that is too long is refused, not cut' silent_on_stdout 126 run "$long$scratch/second/tool"
check 'a directory is refused' silent_on_stdout 126 run ./first
check 'a file that is not executable is refused' silent_on_stdout 126 run first/tool
check 'a file that is not executable is passed over in PATH' prints 'from second' \
	"${preloading[@]}" PATH="$scratch/first:$scratch/second:$PATH" "$cfshim" run tool
check 'a file that is not executable is refused where PATH has no other' silent_on_stdout 126 \
	"${preloading[@]}" PATH="$scratch/first" "$cfshim" run tool
check 'a policy that is missing is refused' silent_on_stdout 126 run --policy none.conf true
check 'a policy that is missing is named, and what is wanted' refuses 126 "$scratch/none.conf: No such file.* readable file" \
	run --policy none.conf true
check 'a policy that is a directory is refused' silent_on_stdout 126 run --policy first true
policy 'nonsense'
check 'what a policy says is left to the shim' ends_with 0 run --policy policy.conf true

# Copies of a program, each changed in one respect.
program=$(realpath "$(command -v env)")
copy() { cp "$program" "$1"; }
patch_byte() { printf '%b' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
copy plain
check 'an unchanged copy of the program runs' refuses 0 '^LD_PRELOAD=' run ./plain
copy other-class && patch_byte other-class 4 '\x01'
[[ $(od -An -tu1 -j4 -N1 "$program") -eq 1 ]] && patch_byte other-class 4 '\x02'
copy other-machine && patch_byte other-machine 18 '\xf3\x7e'
for name in other-class other-machine; do
	check "a program of $name is refused" silent_on_stdout 126 run "./$name"
	check "a program of $name: the line says so" refuses 126 'another machine or word size' run "./$name"
done
printf 'int main(void) { return 0; }\n' >empty.c
for kind in static static-pie; do
	if "$compiler" "-$kind" -o "$kind" empty.c 2>/dev/null; then
		check "a $kind program is refused" silent_on_stdout 126 run "./$kind"
		check "a $kind program: the line says what to do" refuses 126 'statically linked.*; use a dynamic' run "./$kind"
	else
		skip "a $kind program is refused" "no $kind libc here"
	fi
done
if [[ -e static ]]; then
	printf '#! %s/static argument\n' "$scratch" >script-of-static
	chmod 755 script-of-static
	check 'a script is refused for its interpreter, and both are named' refuses 126 \
		"$scratch/static is statically linked.*interpreter of ./script-of-static" run ./script-of-static
fi
script() { printf '%b\n' "$2" >"$1" && chmod 755 "$1"; }
script shell '#!/bin/sh\nexit 9'
script bare 'exit 8'
script nameless '#!\nexit 6'
script orphan '#!/no/such/interpreter'
check 'a script runs' ends_with 9 run ./shell
check 'a text without a first line for the kernel is run by the shell' ends_with 8 run ./bare
check 'a text whose first line names nothing is run by the shell' ends_with 6 run ./nameless
check 'a script without its interpreter is not found' refuses 127 '/no/such/interpreter.*interpreter of ./orphan' run ./orphan
script depth0 '#!/bin/sh\nexit 3'
for depth in {1..6}; do script "depth$depth" "#!$scratch/depth$((depth - 1))"; done
check 'a script of a script of a script runs' ends_with 3 run ./depth2
check 'scripts without end are refused' silent_on_stdout 126 run ./depth6

# Programs that the loader starts in secure mode: it ignores LD_PRELOAD there.
secure_mode_works() {
	[[ $(id -u) == 0 && $(awk '/^NoNewPrivs/ { print $2 }' /proc/self/status) == 0 &&
		,$(findmnt -no OPTIONS -T "$scratch"), != *,nosuid,* ]]
}
cp "$cfshim" "$library" bin
nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
if secure_mode_works; then
	for bits in 4755 2755; do
		copy "bits$bits" && chown 65534:65534 "bits$bits" && chmod "$bits" "bits$bits"
		check "mode $bits of somebody else is refused" silent_on_stdout 126 run "./bits$bits"
		check "mode $bits of somebody else: the line says what to do" refuses 126 'setuid or setgid.*; start it as' \
			run "./bits$bits"
		copy "own$bits" && chmod "$bits" "own$bits"
		check "mode $bits of ourselves runs, preloaded" refuses 0 '^LD_PRELOAD=' run "./own$bits"
		check "mode $bits without new privileges runs, preloaded" refuses 0 '^LD_PRELOAD=' \
			setpriv --no-new-privs "${preloading[@]}" "$cfshim" run "./bits$bits"
	done
	printf '#!%s/bits4755 sh\n' "$scratch" >script-of-setuid
	chmod 755 script-of-setuid
	check 'a script of a setuid interpreter is refused' silent_on_stdout 126 run ./script-of-setuid
	cp shell setuid-script && chown 65534 setuid-script && chmod 4755 setuid-script
	check 'the bits of a script mean nothing' ends_with 9 run ./setuid-script
	copy capable
	if setcap cap_net_bind_service+ep capable 2>/dev/null; then
		check 'a program with file capabilities is refused' silent_on_stdout 126 nobody bin/cfshim run ./capable
		check 'a program with file capabilities: the line says what to do' refuses 126 'file capabilities.*setcap -r' \
			nobody bin/cfshim run ./capable
		check 'for root a program with file capabilities runs, preloaded' refuses 0 '^LD_PRELOAD=' run ./capable
	else
		skip 'a program with file capabilities is refused' 'setcap cannot set any here'
	fi
else
	skip 'setuid and setgid programs are refused' 'takes root, and a file system and process where the bits count'
fi

# The library.
cp -r bin broken && echo garbage >broken/libcfshim.so
check 'a library that is none is refused' refuses 126 'broken/libcfshim.so is not a shared library; install' \
	broken/cfshim run true
cp -r bin 'with blank'
check 'a library that LD_PRELOAD cannot name is refused' refuses 126 'cannot hold a path with a colon or a blank' \
	'with blank/cfshim' run true
mkdir alone && cp bin/cfshim alone
if [[ -z $(find /usr /lib /lib64 -name libcfshim.so -print -quit 2>/dev/null) ]]; then
	check 'without the library nothing is started' silent_on_stdout 126 alone/cfshim run echo started
	check 'without the library the line says where it should be' refuses 126 '/libcfshim.so: No such file.*beside' \
		alone/cfshim run true
else
	skip 'without the library nothing is started' 'it is installed on this machine'
fi
ln -s bin/cfshim linked-command
check 'the library is looked for beside the command itself, not beside a link to it' refuses 0 \
	"LD_PRELOAD=(.*:)?$scratch/bin/libcfshim.so\$" "${preloading[@]}" ./linked-command run env

finish
