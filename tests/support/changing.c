#include "changing.h"

#include "credentials.h"
#include "scratch.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_LIMIT_MS 3000
/* Of two workers each gets one of so many, all but surely. */
#define VISITS       12
#define MOST_WRITERS 64

static const struct visitor other_edge = {.certificate = "other"};
static const struct visitor lost_edge = {"edge", "untrusted-issuer", 48, 48};

void edge_policy(const struct server *server, char *text, size_t size, const char *more)
{
	text_format(text, size, "[port %u]\nca = %s/ca.pem\n%s", server->ports[0],
		    server->directory, more);
}

void other_policy(const struct server *server, char *text, size_t size, const char *more)
{
	text_format(text, size, "[port %u]\nca = %s/other-ca.pem\nrefuse = close\n%s",
		    server->ports[0], server->directory, more);
}

/* The folder of certificates is not everybody's to read; workers are. */
void put_certificate(const struct server *server, const char *name, const char *certificate)
{
	char *text = scratch_read(certificate_file(certificate));

	change_by_rename(server, name, text);
	free(text);
}

struct server *changing_server(const struct server_kind *kind, const char *more)
{
	struct server *server = server_new(kind, 1);
	char text[4096];

	put_certificate(server, "ca.pem", "ca");
	put_certificate(server, "other-ca.pem", "other-ca");
	edge_policy(server, text, sizeof(text), more);
	server_policy(server, "%s", text);
	return server;
}

void change_in_place(const struct server *server, const char *name, const char *text)
{
	server_file(server, name, "%s", text);
}

void change_by_rename(const struct server *server, const char *name, const char *text)
{
	char from[PATH_MAX + 64], to[PATH_MAX + 64];

	server_file(server, "renamed", "%s", text);
	text_format(from, sizeof(from), "%s/renamed", server->directory);
	text_format(to, sizeof(to), "%s/%s", server->directory, name);
	if (rename(from, to) != 0)
		fail_msg("cannot rename %s", from);
}

void wait_until_in_force(void)
{
	usleep(IN_FORCE_MS * 1000);
}

static const struct server *in_handshake;

static void change_once(const SSL *ssl, int where, int value)
{
	const OSSL_HANDSHAKE_STATE state = SSL_get_state(ssl);
	char *text;

	(void)value;
	if (where != SSL_CB_CONNECT_LOOP || in_handshake == NULL ||
	    (state != TLS_ST_CR_SRVR_DONE && state != TLS_ST_CR_FINISHED))
		return;
	text = scratch_read(in_handshake->policy);
	change_by_rename(in_handshake, strrchr(in_handshake->policy, '/') + 1, text);
	free(text);
	in_handshake = NULL;
	wait_until_in_force();
}

void change_amid_handshake(const struct server *server, SSL *ssl)
{
	in_handshake = server->shim ? server : NULL;
	SSL_set_info_callback(ssl, change_once);
}

static void expect_each(const struct server *server, const struct visitor *const *visitors_here,
			size_t count, const char *answer, struct log *log)
{
	for (int i = 0; i < VISITS; i++) {
		const struct client client = {
			.port = server->ports[0],
			.version = i % 2 ? TLS1_3_VERSION : TLS1_2_VERSION,
			.request = "GET /index.html HTTP/1.0\r\nHost: localhost\r\n\r\n",
		};

		/* At most ten lines a second of one reason. */
		usleep(50000);
		expect_verdict(server, &client, visitors_here[(size_t)i % count], answer, log);
	}
}

void expect_edge_policy(const struct server *server, struct log *log)
{
	const struct visitor *const all[] = {&edge, &foreigner, &stranger};

	expect_each(server, all, 3, "reject", log);
}

void expect_other_policy(const struct server *server, struct log *log)
{
	const struct visitor *const all[] = {&other_edge, &lost_edge, &stranger};

	expect_each(server, all, 3, "close", log);
}

void expect_lines(const struct server *server, const char *text, size_t wanted)
{
	long long deadline = clock_ms() + LINE_LIMIT_MS;
	size_t count;

	while ((count = log_count(server->log, text)) < wanted && clock_ms() < deadline)
		clock_nap();
	expect(count == wanted, "%zu lines of \"%s\" instead of %zu", count, text, wanted);
}

void expect_line_of_each(const struct server *server, const char *text, size_t least)
{
	unsigned writers[MOST_WRITERS];
	char *all = scratch_read(server->log), *rest = all, *line;
	size_t count = 0;

	while ((line = strsep(&rest, "\n")) != NULL) {
		unsigned pid;

		if (strstr(line, text) == NULL || sscanf(line, "cfshim[%u]", &pid) != 1)
			continue;
		for (size_t i = 0; i < count; i++)
			expect(writers[i] != pid, "said twice: %s", line);
		if (count < MOST_WRITERS)
			writers[count++] = pid;
	}
	expect(count >= least, "%zu processes said \"%s\", not %zu", count, text, least);
	free(all);
}
