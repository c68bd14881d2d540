/* open_port.h - hosts of TLS whose other port is open, and what they do there.  attack.host.
 */
#ifndef OPEN_PORT_H
#define OPEN_PORT_H

#include <openssl/ssl.h>

/* They read; they say again what they are told, but for what they are told first; they do so after
 * having tried to say more than the client takes, with the begin of a ServerHello at its end; they
 * speak TLS with who does, and read what others say. */
int host_beside_reader(char **words);
int host_beside_echo(char **words);
int host_beside_writer(char **words);
int host_beside_both(char **words);

#endif
