# shellcheck shell=bash
# mail.sh - what mail servers have in common.
# shellcheck disable=SC2034 # for the servers
starttls=smtp request='NOOP\r\nQUIT\r\n' answer='^250 .*^221 '
