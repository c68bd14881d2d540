#!/bin/bash
# Mosquitto: MQTT.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs mosquitto
configure() {
	file mosquitto.conf <<-X
		user nobody
		persistence false
		log_dest stderr
		allow_anonymous true
		$(each_port "listener @ 127.0.0.1${nl}certfile $certificate${nl}keyfile $key")
	X
}
launch() { serve mosquitto -c mosquitto.conf; }
nl=$'\n' request='\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a' answer='^\x20\x02\x00\x00'
run_server
