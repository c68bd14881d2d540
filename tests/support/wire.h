/* wire.h - the client's end of a TCP connection, as a BIO that keeps count.
 * What libssl writes is held back until it wants to read: so the last of a handshake and a request
 * travel together.
 */
#ifndef WIRE_H
#define WIRE_H

#include "client.h"

struct wire {
	int descriptor;
	long long deadline; /* of clock_ms() */
	enum ending ending; /* END_NONE: the stream goes on */
	bool flight;        /* the server's first flight is complete, says the TLS side */
	size_t bytes_after_flight;
	size_t segment_bytes; /* 0: what is held back leaves at once */
	size_t held;
	unsigned char pending[64 * 1024];
};

/* Connect; false: nobody there. */
bool wire_open(struct wire *wire, const char *address, unsigned port, long long deadline);
/* The same over a connection that is there already, and becomes the wire's. */
bool wire_adopt(struct wire *wire, int descriptor, long long deadline);
void wire_close(struct wire *wire);

unsigned wire_local_port(const struct wire *wire);

/* Borrows `wire`; the caller hands it to an SSL. */
BIO *wire_bio(struct wire *wire);

/* Send what is held back, and wait until the server says something, at most `patience_ms`. */
void wire_wait(struct wire *wire, int patience_ms);

/* Send what is held back, and a FIN. */
void wire_half_close(struct wire *wire);

/* Send what is held back, and read only when the server has closed its end: whatever it said
 * before must then still be there. */
void wire_wait_for_end(struct wire *wire);

/* Read, and count, to the end of the stream. */
void wire_drain(struct wire *wire);

#endif
