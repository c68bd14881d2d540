/* lax_host.h - hosts that demand certificates themselves, each too lax in one respect: for
 * attack.prepare. */
#ifndef LAX_HOST_H
#define LAX_HOST_H

#include <openssl/ssl.h>

/* A client needs a certificate of one of these CAs (names of credentials.h, with blanks between),
 * of any strength. */
void host_demands(SSL_CTX *context, const char *cas);

/* Flags of X509_VERIFY_PARAM. */
void host_sets_flags(SSL_CTX *context, unsigned long flags);

/* The same, and `purpose` unless 0, in what is kept under that name for the whole process, and the
 * longest of chains. */
void host_changes_table(const char *name, unsigned long flags, int purpose);

/* The verify callback passes over these errors, of which X509_V_OK is the last, and no others. */
void host_forgives(SSL_CTX *context, const int *errors);

/* An attack.prepare that forgives them. */
#define HOST_FORGIVING(name, cas, ...)                                         \
	static void name(SSL_CTX *context)                                     \
	{                                                                      \
		static const int forgiven_errors[] = {__VA_ARGS__, X509_V_OK}; \
                                                                               \
		host_demands(context, cas);                                    \
		host_forgives(context, forgiven_errors);                       \
	}

#endif
