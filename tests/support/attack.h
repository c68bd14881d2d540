/* attack.h - ways past a demand for client certificates, each against a host that falls for it:
 * bare, where it must get in, and under the shim, where it must not.
 *
 * A program of tests/attacks is a table of attacks, and both sides of each: started as
 * `PROGRAM host ...` it is the host of one of them.  What counts is what the client got (a byte of
 * the application, an alert, how it ended), what the host got (host_is_in()), and the shim's line.
 * Each attack that was seen to get in bare, and to be refused, leaves a row in
 * BUILD/attacks/PROGRAM.tsv: tests/attacks/table.sh makes the table of them.
 */
#ifndef ATTACK_H
#define ATTACK_H

#include "client.h"
#include "log.h"
#include "server.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

/* The host's ports: the first is enforced, the second as attack.second says. */
enum { ENFORCED, SECOND };

/* What alert `reject` has for a reason is known; these are other words for attack.alert. */
enum { ALERT_OF_REASON = 0, NO_ALERT = -1 };

enum versions { BOTH_VERSIONS, ONLY_1_2, ONLY_1_3 };

struct victim;

/* Members of an attack on a host with an open port beside, whose connections could be of either. */
#define BESIDE_OPEN_PORT .second = "verify = off", .reason = "no-certificate"

/* The same, where the shim cannot tell which it is: all of the policy applies, with the built-in
 * rule, so there is one for all ports. */
#define ANYWHERE \
	.second = "verify = off\n[port *]\nca = {ca}", .reason = "no-certificate", .answer = "close"

struct attack {
	const char *name;   /* who gets in, or how: goes on "... stays out" */
	const char *source; /* CVE, commit, RFC, or file and line of OpenSSL */

	/* The host.  NULL: nothing, respectively one that accepts, reads a request, and answers. */
	void (*prepare)(SSL_CTX *context); /* its settings, once */
	void (*connect)(SSL *ssl);         /* for each connection, before its handshake */
	void (*serve)(SSL *ssl);   /* a whole conversation, but for SSL_shutdown() and SSL_free() */
	int (*host)(char **words); /* a program of its own: certificate, key, ports */
	bool prefork;              /* two processes accept from the same sockets */
	const char *unsanitized;   /* why it cannot be had under a sanitizer; NULL: it can */
	/* Why it cannot be had on this machine; NULL: it can. */
	const char *(*lacking)(void);
	bool datagrams; /* `host` prints "ready", and there is no port to wait for */

	/* The attacker.  `attack` NULL: `client` as it is, without a certificate. */
	enum versions versions; /* of the client; the attack runs over each */
	void (*attack)(struct victim *victim, const struct client *client, struct outcome *outcome);
	/* How a client of this host connects.  NULL: client_run(). */
	void (*visit)(const struct client *client, struct outcome *outcome);
	struct client client; /* port, version and patience are filled in */

	/* The policy: lines of the section of each port; {NAME} is the path of that certificate.
	 * NULL for the first: "ca = {ca}"; for the second: there is no second port. */
	const char *rule, *second;
	/* Or all sections as they stand, where a port alone does not name them; {enforced} and
	 * {second} are the ports, {answer} is the answer.  NULL: `rule` and `second` make them. */
	const char *sections;

	/* What must be seen under the shim.  reason NULL: the connection is the edge's own, and is
	 * served, but the client's trick must not work. */
	const char *reason;
	const char *answer; /* what the log says of the answer; NULL: as the policy has it */
	int alert;          /* of `reject` */
	bool at_the_end;    /* refused when libssl has finished: it sends no alert, and the last
			       of the handshake has left, even under `close` */
	bool undoes_end; /* under a status libssl, from 3.5 on, may say internal_error after it */
	bool goes_away;  /* reason NULL: the client ends it before it can be judged; no line */
	bool edge_alike; /* the edge comes in the attacker's way, and is served */
	bool edge_is_refused; /* by the host itself: it is not one that the edge could use */
	bool without_answer;  /* bare, it is the host that gets something: host_is_in() */
};

/* A host under attack. */
struct victim {
	const struct attack *attack;
	struct server *server;
	const char *answer; /* of the policy; NULL: bare */
	struct log log;     /* the shim's, read so far */
	size_t times_in;    /* before the last attack_run() */
};

/* One connection of the attacker: as client_run(), with the port (ENFORCED, unless the client names
 * one) and patience filled in. */
void attack_run(struct victim *victim, const struct client *client, struct outcome *outcome);

/* From now on, what comes to the host is the attacker's; attack_run() says so itself. */
void victim_watch(struct victim *victim);

/* A session that the client was given, by a connection that must have been answered.  The caller
 * frees it; NULL: none was given. */
SSL_SESSION *attack_session(struct victim *victim, const struct client *client);

/* End the host and start it again on the same ports, under other lines for its first port. */
void victim_restart(struct victim *victim, const char *rule);

/* The same host without the shim, beside the victim.  server_stop() ends it. */
struct server *victim_bare_twin(const struct victim *victim);

/* In the host: something of a client's has come to the application ("request", "keys"). */
void host_is_in(const char *what);

/* In the host: what `serve` is made of.  True where the call succeeded. */
bool host_accept(SSL *ssl);
bool host_read(SSL *ssl); /* a request, at least its first bytes; says so by host_is_in() */
void host_answer(SSL *ssl);

/* In the host: the path of the certificate of that name (credentials.h). */
const char *host_file(const char *name);

/* In the host: beside the certificate that every host has, one for key exchanges of RSA. */
void host_add_rsa_certificate(SSL_CTX *context);

/* In the host, instead of all three: a conversation in which libssl sees no socket.  What `output`
 * holds goes to the descriptor, and what comes from there into `input`, both the host's end. */
void host_converse(SSL *ssl, BIO *input, BIO *output, int descriptor);
void host_serve_by_memory(SSL *ssl); /* over two memory BIOs, in place of the socket's */

/* In the host: the socket that listens on that port. */
int host_listener(size_t port);

/* In a host that is a program of its own: one client, as the attack's `connect` and `serve` have
 * it; a context with certificate and key, or the end of the host; a loopback socket that takes
 * `type` (SOCK_STREAM: it listens). */
void host_serve(SSL_CTX *context, int descriptor);
SSL_CTX *host_context(const SSL_METHOD *method, char **words);
int host_socket(int type, const char *port);

/* In such a host: a thread that takes whoever comes to that port as plain HTTP does: it is read
 * once, and waits for an answer. */
void host_read_on_port(const char *port);

/* In the host: a function as it is found in libssl itself, whatever stands before it; of which
 * HOST_ORIGINAL() knows the type. */
typedef void (*any_function)(void);
any_function host_original(const char *name);
#define HOST_ORIGINAL(name) ((__typeof__(&name))host_original(#name))

/* The whole of main(). */
int attacks_main(int count, char **words, const char *program, const struct attack *attacks,
		 size_t attack_count);

/* attack_host.c: the host's side of it. */
int host_main(const struct attack *attack, char **words);

#endif
