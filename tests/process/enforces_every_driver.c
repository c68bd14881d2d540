/* However a server drives OpenSSL, and wherever it has it from, an enforced port is enforced, and
 * who has a certificate is served. */
#include "attack.h"
#include "credentials.h"
#include "enforcement.h"
#include "scratch.h"
#include "test.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n" SERVER_ANSWER

/* ---- hosts that are this program ---- */

/* Accepts, handshakes, reads and writes by BIOs alone: libssl copies its SSL for each client. */
static int host_of_bios(char **words)
{
	SSL_CTX *context = host_context(TLS_server_method(), words);
	BIO *secure = BIO_new_ssl(context, 0), *listener;
	char address[32], request[4096];

	snprintf(address, sizeof(address), "127.0.0.1:%s", words[2]);
	listener = BIO_new_accept(address);
	BIO_set_bind_mode(listener, BIO_BIND_REUSEADDR);
	BIO_set_accept_bios(listener, secure);
	if (BIO_do_accept(listener) <= 0)
		return 1;
	while (BIO_do_accept(listener) > 0) {
		BIO *client = BIO_pop(listener);

		if (BIO_do_handshake(client) > 0 && BIO_read(client, request, sizeof(request)) > 0)
			BIO_write(client, ANSWER, (int)strlen(ANSWER));
		(void)BIO_flush(client);
		BIO_ssl_shutdown(client);
		BIO_free_all(client);
	}
	return 1;
}

/* The same, and no handshake is asked for. */
static int host_of_bios_that_reads(char **words)
{
	SSL_CTX *context = host_context(TLS_server_method(), words);
	int listener = host_socket(SOCK_STREAM, words[2]);
	char request[4096];

	for (;;) {
		BIO *client = BIO_push(BIO_new_ssl(context, 0),
				       BIO_new_socket(accept(listener, NULL, NULL), BIO_CLOSE));

		if (BIO_read(client, request, sizeof(request)) > 0)
			BIO_write(client, ANSWER, (int)strlen(ANSWER));
		BIO_ssl_shutdown(client);
		BIO_free_all(client);
	}
	return 1;
}

/* OpenSSL takes other functions only as long as it has asked for no memory: 1, or the host ends. */

static size_t allocations;

static void *own_malloc(size_t size, const char *file, int line)
{
	(void)file, (void)line;
	allocations++;
	return malloc(size);
}

static void *own_realloc(void *memory, size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return realloc(memory, size);
}

static void own_free(void *memory, const char *file, int line)
{
	(void)file, (void)line;
	free(memory);
}

static int host_with_own_memory(char **words)
{
	SSL_CTX *context;
	int listener;

	if (CRYPTO_set_mem_functions(own_malloc, own_realloc, own_free) != 1)
		return 1;
	context = host_context(TLS_server_method(), words);
	if (allocations == 0)
		return 1;
	listener = host_socket(SOCK_STREAM, words[2]);
	for (;;)
		host_serve(context, accept(listener, NULL, NULL));
	return 0;
}

static const struct attack hosts[] = {
	{.name = "bios", .host = host_of_bios},
	{.name = "bios-read", .host = host_of_bios_that_reads},
	{.name = "memory", .host = host_with_own_memory},
};

static void prepare_own_host(struct server *server)
{
	char command[PATH_MAX];

	built_path(command, sizeof(command), "tests/process/enforces_every_driver");
	server_command(server, "%s host %s %s %s %u", command, server->options,
		       certificate_file("server"), certificate_key("server"), server->ports[0]);
}

static const struct server_kind own_host = {.name = "own_host", .prepare = prepare_own_host};

/* ---- OpenSSL inside the program ---- */

static const char *whole_server_path(void)
{
	static char path[PATH_MAX];

	built_path(path, sizeof(path), "tests/process/servers/whole_server");
	return path;
}

static void prepare_whole_server(struct server *server)
{
	server_command(server, "%s %s %s %s 127.0.0.1 %u", whole_server_path(),
		       certificate_file("server"), certificate_key("server"), server->options,
		       server->ports[0]);
}

static const struct server_kind whole_server = {
	.name = "whole_server",
	.prepare = prepare_whole_server,
};

/* ---- everybody comes ---- */

static void serve_everybody(const struct server_kind *kind, const char *options)
{
	static const char *const answers[] = {"reject", "close", "close reset"};
	struct server *server = server_new(kind, 1);

	server->options = options;
	server->talks_first = strstr(options, "banner") != NULL;
	server_start(server);
	expect_open(server, NULL, server->ports[0]);
	server_stop(server);
	for (size_t i = 0; i < 3; i++) {
		server = server_new(kind, 1);
		server->options = options;
		server->talks_first = strstr(options, "banner") != NULL;
		server_policy(server, "[port %u]\nca = %s\nrefuse = %s\n", server->ports[0],
			      certificate_file("ca"), answers[i]);
		server_start(server);
		expect_enforced(server, answers[i]);
		server_stop(server);
	}
	expectations_met();
}

static void run_own_host(void **state)
{
	serve_everybody(&own_host, *state);
}

static void run_whole_server(void **state)
{
	if (access(whole_server_path(), X_OK) != 0) {
		print_message("no static libssl and libcrypto to make one of\n");
		skip();
	}
	serve_everybody(&whole_server, *state);
}

#define DRIVER(sentence, function, options)                                             \
	{                                                                               \
		.name = (sentence), .test_func = (function), .teardown_func = test_end, \
		.initial_state = (void *)(uintptr_t)(options)                           \
	}

int main(int count, char **words)
{
	const struct CMUnitTest tests[] = {
		DRIVER("a server that accepts by BIO_do_accept() is enforced", run_own_host,
		       "bios"),
		DRIVER("and so is one whose first call is BIO_read()", run_own_host, "bios-read"),
		DRIVER("one that brings its own memory functions may, and is", run_own_host,
		       "memory"),
		DRIVER("one that has OpenSSL inside the program, and exports it, is",
		       run_whole_server, ""),
		DRIVER("also when it calls SSL_accept() first", run_whole_server, "accept"),
		DRIVER("or writes first", run_whole_server, "banner"),
		DRIVER("or takes early data", run_whole_server, "early"),
		DRIVER("or does not block", run_whole_server, "accept non-blocking"),
		DRIVER("or has callbacks that waive the certificate", run_whole_server, "meddle"),
	};

	for (size_t i = 0; count > 4 && i < sizeof(hosts) / sizeof(hosts[0]); i++)
		if (strcmp(words[1], "host") == 0 && strcmp(words[2], hosts[i].name) == 0)
			return host_main(&hosts[i], words + 3);
	return RUN_TESTS("enforces-every-driver", tests);
}
