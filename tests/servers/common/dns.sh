# shellcheck shell=bash
# dns.sh - for servers of DNS over TLS: www.example.org's address is asked for, and it is 192.0.2.7.
# shellcheck disable=SC2034 # for the servers
request='\x00\x21\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03org\x00\x00\x01\x00\x01' answer='\xc0\x00\x02\x07'
zone=$'$TTL 60\n@ SOA a. b. 1 2 3 4 5\n@ NS a.\nwww A 192.0.2.7'
