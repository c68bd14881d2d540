/* version.c - `cfshim version`. */
#include "verbs.h"

#include <openssl/crypto.h>
#include <stdio.h>

/* What the tests have been run with; CHANGELOG.md says when. */
#define TESTED "3.0"

enum status version_verb(int argc, char **argv)
{
	if (argc > 1)
		return refuse_usage("version", "\"%s\" is too much", argv[1]);
	printf("cfshim %s\nOpenSSL here: %s\nOpenSSL tested: %s\n", CFSHIM_VERSION,
	       OpenSSL_version(OPENSSL_VERSION), TESTED);
	return STATUS_GOOD;
}
