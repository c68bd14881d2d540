/* client.h - a TLS client that says exactly what it saw.
 *
 * It presents whatever certificate it is told to, checks nothing of the server, and reads to the
 * end.  A client of TLS 1.3 sees its handshake succeed before the server has judged it: what counts
 * is what comes after its request.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#define IN_A_HURRY (-1)

struct client {
	const char *address; /* NULL: 127.0.0.1 */
	unsigned port;
	int descriptor;          /* of a connection that is there already; 0: one is made */
	int version;             /* TLS1_2_VERSION or TLS1_3_VERSION, exactly */
	const char *certificate; /* name in credentials.h; NULL: none */
	const char *request;     /* NULL: nothing is sent, only read */
	const char *server_name; /* SNI; NULL: none */
	SSL_SESSION *session;    /* to offer; NULL: none */
	bool no_ticket;          /* TLS 1.2: session ids only */
	/* Settings of the context, of which the SSL gets a copy (SRP, custom extensions); the last
	 * ones before the handshake; what is done between the handshake and the
	 * request, and whether it worked.  NULL: nothing. */
	void (*prepare_context)(SSL_CTX *context);
	void (*prepare)(SSL_CTX *context, SSL *ssl);
	bool (*trick)(SSL *ssl);
	/* How long to wait for the server's word between the handshake and the request.
	 * 0: the request travels with the last of the handshake, as most clients have it; a server
	 * that then closes without reading it causes a RST.
	 * IN_A_HURRY: the same, and the answer is looked at when the server has closed its end. */
	int patience_ms;
	int timeout_ms;       /* 0: five seconds */
	size_t segment_bytes; /* at most so many in each TCP segment; 0: as they come */
	bool to_the_end;      /* after close_notify, wait for the end of the stream */
	bool half_close;      /* after the request nothing more is sent: FIN */
};

enum ending { END_NONE, END_CLOSE_NOTIFY, END_EOF, END_RESET, END_TIMEOUT };

/* What was seen; outcome_clear() ends it. */
struct outcome {
	bool connected; /* TCP */
	unsigned local_port;
	bool handshake;      /* as the client sees it */
	bool asked;          /* the server demanded a certificate ... */
	char ca_names[2048]; /* ... of one of these, RFC 2253, each ended by a newline */
	int alert;           /* received, other than close_notify; 0: none */
	enum ending ending;
	enum ending stream_end;    /* with to_the_end: what came after close_notify */
	bool flight;               /* the server's first flight was complete */
	size_t bytes_after_flight; /* on the wire, after that */
	size_t application_bytes;
	char application[4096 + 1]; /* the first of them, NUL-terminated */
	int http_status;            /* 0: no HTTP answer */
	bool reused;                /* the handshake resumed the session that was offered */
	bool tricked;               /* the client's trick worked */
	SSL_SESSION *session;       /* the newest that the server gave; NULL: none */
};

void client_run(const struct client *client, struct outcome *outcome);
void outcome_clear(struct outcome *outcome);

/* "RST", "1.3": for what is printed where an expectation is not met. */
const char *ending_word(enum ending ending);
const char *version_word(int version);

/* What follows the blank line of an HTTP answer; the whole where there is none. */
const char *outcome_body(const struct outcome *outcome);

/* Does somebody take TCP connections there?  The connection is closed at once. */
bool client_can_connect(const char *address, unsigned port);

#endif
