/* stranger.h - one connection to a server, made as a stranger would, and what was seen of it. Every
 * wait is bounded.  One thread.
 */
#ifndef CFSHIM_STRANGER_H
#define CFSHIM_STRANGER_H

#include <netdb.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

/* Who comes, and with what; pointers are borrowed. */
struct stranger {
	const char *who; /* as the table calls it */
	enum speech { SPEECH_PLAIN, SPEECH_TLS_OLD, SPEECH_TLS_1_3 } speech; /* old: up to 1.2 */
	bool is_anonymous;       /* offers ciphers without any certificate, and no others */
	const char *server_name; /* NULL: asks for none */
	X509 *leaf;              /* NULL: has no certificate */
	STACK_OF(X509) * chain;  /* what it sends behind the leaf; NULL: nothing */
	EVP_PKEY *key;
	SSL_SESSION *session; /* of an earlier connection; NULL: none */
	const char *request;  /* what it says once the handshake is done */
	size_t request_bytes;
};

#define SIGHT_TEXT_BYTES 2048

enum ending { ENDING_OPEN, ENDING_CLOSED, ENDING_RESET };

struct sight {
	int unreached;    /* errno of a connection that did not come about; 0: it did */
	bool is_plain;    /* what came in answer to a hello was not TLS */
	bool is_unspoken; /* the server wants another version of TLS */
	bool is_asked;    /* the server asked for a certificate */
	bool is_shaken;   /* the handshake was done, as the client sees it */
	bool is_accepted; /* and the server has shown that it takes it for done, too */
	bool is_resumed;
	int version;     /* of TLS; 0: it did not come to that */
	int alert;       /* a fatal one of the server; -1: none */
	const char *own; /* what this side's OpenSSL failed with; NULL: it did not */
	enum ending ending;
	size_t bytes;                /* of the application, or of plain text; ... */
	char text[SIGHT_TEXT_BYTES]; /* ... the first of them, and a NUL */
	SSL_SESSION *session;        /* the last that was given; NULL: none */
	X509_NAME *ca; /* the first of the CAs that it asked for; NULL: none was named */
};

/* Connect to `address` as `stranger`.  The sight is the caller's (sight_clear()). */
void stranger_go(struct sight *sight, const struct stranger *stranger,
		 const struct addrinfo *address);
void sight_clear(struct sight *sight);

#endif
