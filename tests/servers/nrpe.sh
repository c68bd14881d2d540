#!/bin/bash
# NRPE: its own packets, of which the version is asked; a process for each connection.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs nrpe
ports_wanted=1
configure() {
	file nrpe.cfg <<-X
		server_port=${ports[0]}
		server_address=127.0.0.1
		nrpe_user=nobody
		nrpe_group=nogroup
		allowed_hosts=127.0.0.1
		ssl_version=TLSv1.2+
		ssl_cipher_list=ALL:@SECLEVEL=0
		ssl_cert_file=$certificate
		ssl_privatekey_file=$key
		ssl_client_certs=0
		pid_file=$work/pid
		log_file=$work/nrpe.log
	X
}
launch() { serve nrpe -c "$work/nrpe.cfg" -f; }
# A packet of version 4: _NRPE_CHECK without arguments, with its checksum.
request=$(/usr/bin/python3 -IS -c '
import struct, zlib
def packet(crc): return struct.pack(">hhIhhI", 4, 1, crc, 0, 0, 1020) + b"_NRPE_CHECK".ljust(1020, b"\0") 
print("".join("\\x%02x" % byte for byte in packet(zlib.crc32(packet(0)))))')
answer='NRPE v' host_logs=(nrpe.log)
run_server
