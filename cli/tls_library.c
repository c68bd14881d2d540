#include "tls_library.h"

#include <stdio.h>
#include <string.h>

/* All that an OpenSSL must define for the library to bind to it, of what is libssl's. */
static const char *const hooked[] = {
#define MUST               1
#define MAY                0
#define HOOK(symbol, need) need ? #symbol : NULL,
#define CALL(symbol, need) need ? #symbol : NULL,
#include "hooks.def"
};

static const struct {
	const char *symbol;
	unsigned kind;
} marks[] = {
	{"gnutls_handshake", TLS_GNUTLS},
	{"SSL_ImportFD", TLS_NSS},
	{"mbedtls_ssl_handshake", TLS_MBEDTLS},
	{"wolfSSL_accept", TLS_WOLFSSL},
	{"s2n_negotiate", TLS_S2N},
	{"JNI_CreateJavaVM", TLS_JAVA},
	{"JLI_Launch", TLS_JAVA},
	{"OSSL_QUIC_server_method", TLS_QUIC_SERVER},
	{"ngtcp2_conn_read_pkt_versioned", TLS_QUIC},
	{"ngtcp2_conn_read_pkt", TLS_QUIC},
	{"quiche_accept", TLS_QUIC},
	{"lsquic_engine_new", TLS_QUIC},
	{"MsQuicOpenVersion", TLS_QUIC},
};

/* Names of source files in messages, and the like. */
static const char *const texts[] = {
	"ssl/statem/statem",
	"ssl/handshake_server.cc",
	"GNUTLS_E_UNSUPPORTED_VERSION_PACKET",
	"SSL - A fatal alert message was received",
	"/rustls-",
	"rustls::server",
	"\xff Go buildinf:",
};
#define TEXT_COUNT (sizeof(texts) / sizeof(texts[0]))

static const unsigned text_kinds[TEXT_COUNT] = {
	TLS_INSIDE, TLS_BORINGSSL, TLS_GNUTLS, TLS_MBEDTLS, TLS_RUSTLS, TLS_RUSTLS, TLS_GO,
};

static bool defines_all_hooked(const struct elf_file *elf)
{
	for (size_t i = 0; i < sizeof(hooked) / sizeof(hooked[0]); i++)
		if (hooked[i] != NULL && strncmp(hooked[i], "SSL_", 4) == 0 &&
		    !elf_defines(elf, hooked[i]))
			return false;
	return true;
}

/* libc, and the loader itself, define dlopen() and use it too. */
static bool loads_modules(const struct elf_file *elf)
{
	return elf_wants(elf, "dlopen") || elf_wants(elf, "dlmopen");
}

unsigned tls_of_file(const struct elf_file *elf)
{
	unsigned kinds = 0, found;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (elf_defines(elf, marks[i].symbol))
			kinds |= marks[i].kind;
	if (elf_defines(elf, "SSL_CTX_new"))
		kinds |= defines_all_hooked(elf) ? TLS_OPENSSL : TLS_UNLIKE;
	if (elf_wants(elf, "SSL_CTX_new"))
		kinds |= TLS_WANTS_OPENSSL;
	if (loads_modules(elf))
		kinds |= TLS_LOADS;
	if (kinds & (TLS_OPENSSL | TLS_OTHERS))
		return kinds;
	found = file_texts(elf->file, texts, TEXT_COUNT);
	for (size_t i = 0; i < TEXT_COUNT; i++)
		kinds |= (found & (1u << i)) != 0 ? text_kinds[i] : 0;
	return kinds;
}

const char *tls_names(char *text, size_t size, unsigned kinds)
{
	static const struct {
		unsigned kind;
		const char *name;
	} names[] = {
		{TLS_UNLIKE, "a libssl that is not OpenSSL 1.1.1 or newer"},
		{TLS_BORINGSSL, "BoringSSL"},
		{TLS_GNUTLS, "GnuTLS"},
		{TLS_NSS, "NSS"},
		{TLS_MBEDTLS, "Mbed TLS"},
		{TLS_WOLFSSL, "wolfSSL"},
		{TLS_S2N, "s2n-tls"},
		{TLS_RUSTLS, "rustls"},
		{TLS_GO, "Go"},
		{TLS_JAVA, "Java"},
	};
	size_t used = 0;

	*text = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && used < size; i++)
		if (kinds & names[i].kind)
			used += (size_t)snprintf(text + used, size - used, "%s%s",
						 used > 0 ? ", " : "", names[i].name);
	return text;
}
