#include "second_hello.h"

#include <stdint.h>

static bool (*change_second)(SSL *ssl);
static const char *second_name;
static bool changed, second_sent;

static void follow(const SSL *ssl, int where, int value)
{
	(void)value;
	if (where != SSL_CB_CONNECT_LOOP)
		return;
	if (changed && SSL_get_state(ssl) == TLS_ST_CW_CLNT_HELLO)
		second_sent = true;
	if (!changed && SSL_get_state(ssl) == TLS_ST_CR_SRVR_HELLO)
		changed = change_second((SSL *)(uintptr_t)ssl);
}

static bool change_name(SSL *ssl)
{
	return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
			(void *)(uintptr_t)second_name) == 1;
}

void second_hello_guess_wrongly(SSL_CTX *context, SSL *ssl)
{
	char groups[] = "X25519:P-384";

	(void)context;
	changed = second_sent = false;
	SSL_set1_groups_list(ssl, groups);
}

void second_hello_begin(SSL *ssl, bool (*change)(SSL *ssl))
{
	second_hello_guess_wrongly(NULL, ssl);
	change_second = change;
	SSL_set_info_callback(ssl, follow);
}

void second_hello_change_name(SSL *ssl, const char *name)
{
	second_name = name;
	second_hello_begin(ssl, change_name);
}

bool second_hello_changed(SSL *ssl)
{
	(void)ssl;
	return second_sent;
}
