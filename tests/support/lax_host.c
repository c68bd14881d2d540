#include "lax_host.h"

#include "attack.h"

#include <stdio.h>
#include <stdlib.h>

static const int *forgiven;

void host_demands(SSL_CTX *context, const char *cas)
{
	char name[64];
	int length;

	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	for (; sscanf(cas, " %63s%n", name, &length) == 1; cas += length) {
		if (SSL_CTX_load_verify_locations(context, host_file(name), NULL) != 1) {
			perror(name);
			exit(1);
		}
	}
}

void host_sets_flags(SSL_CTX *context, unsigned long flags)
{
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), flags);
}

void host_changes_table(const char *name, unsigned long flags, int purpose)
{
	X509_VERIFY_PARAM *parameters = X509_VERIFY_PARAM_new();

	X509_VERIFY_PARAM_set1_name(parameters, name);
	X509_VERIFY_PARAM_set_flags(parameters, flags | X509_V_FLAG_TRUSTED_FIRST);
	X509_VERIFY_PARAM_set_depth(parameters, 100);
	if (purpose != 0)
		X509_VERIFY_PARAM_set_purpose(parameters, purpose);
	if (X509_VERIFY_PARAM_add0_table(parameters) != 1)
		abort();
}

static int pass_over(int good, X509_STORE_CTX *context)
{
	int error = X509_STORE_CTX_get_error(context);

	for (size_t i = 0; !good && forgiven[i] != X509_V_OK; i++)
		good = error == forgiven[i];
	if (!good)
		fprintf(stderr, "not forgiven: %s\n", X509_verify_cert_error_string(error));
	return good;
}

void host_forgives(SSL_CTX *context, const int *errors)
{
	forgiven = errors;
	SSL_CTX_set_verify(context, SSL_CTX_get_verify_mode(context), pass_over);
}
