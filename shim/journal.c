#include "journal_inside.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LINES_A_SECOND 10

/* By reason, and one for the other lines: the second that is counted, its lines, and those dropped
 * since the last line. */
static struct rate {
	_Atomic int64_t second;
	_Atomic unsigned lines;
	_Atomic unsigned long dropped;
} rates[REASON_COUNT], certificate_rates[2];

/* May one more line go out in this second? */
static bool rate_allows(struct rate *rate)
{
	struct timespec now;
	int64_t second;

	clock_gettime(CLOCK_MONOTONIC, &now);
	second = atomic_load(&rate->second);
	if (second != now.tv_sec &&
	    atomic_compare_exchange_strong(&rate->second, &second, now.tv_sec))
		atomic_store(&rate->lines, 0);
	if (atomic_fetch_add(&rate->lines, 1) < LINES_A_SECOND)
		return true;
	atomic_fetch_add(&rate->dropped, 1);
	return false;
}

/* The end of a line that there is a rate for. */
static void line_end_counted(struct line *line, struct rate *rate)
{
	unsigned long dropped = atomic_exchange(&rate->dropped, 0);

	put_number(line, "dropped", dropped);
	if (!line_end(line))
		atomic_fetch_add(&rate->dropped, dropped + 1);
}

/* "203.0.113.9:51514", "[2001:db8::1]:443" */
static const char *endpoint_text(const struct endpoint *endpoint, bool known, char *text,
				 size_t size)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	bool is_ipv4 = memcmp(endpoint->address, mapped, sizeof(mapped)) == 0;
	char address[INET6_ADDRSTRLEN];

	if (!known ||
	    inet_ntop(is_ipv4 ? AF_INET : AF_INET6, endpoint->address + (is_ipv4 ? 12 : 0), address,
		      sizeof(address)) == NULL)
		return NULL;
	snprintf(text, size, is_ipv4 ? "%s:%u" : "[%s]:%u", address, (unsigned)endpoint->port);
	return text;
}

/* Where it was, and who: as both kinds of line have it. */
static void put_ends(struct line *line, const struct refusal *refusal)
{
	const char *network = refusal->peer_known && is_cloudflare_network(&refusal->peer)
				      ? "cloudflare"
				      : "other";
	char text[80], port[8];

	snprintf(port, sizeof(port), "%u", (unsigned)refusal->endpoint.port);
	put_field(line, "port", refusal->endpoint_known ? port : NULL);
	put_field(line, "peer",
		  endpoint_text(&refusal->peer, refusal->peer_known, text, sizeof(text)));
	put_field(line, "network", refusal->peer_known ? network : NULL);
	put_field(line, "server-name", refusal->server_name);
}

void journal_refused(const struct refusal *refusal)
{
	struct rate *rate = &rates[refusal->reason];
	char answer[ANSWER_TEXT_BYTES];
	struct line line;

	if (journal.target == LOG_OFF || !rate_allows(rate))
		return;
	line_begin(&line, refusal->is_observed ? "observed" : "refused");
	put_field(&line, "reason", reason_word(refusal->reason));
	put_ends(&line, refusal);
	put_field(&line, "tls", refusal->tls_version);
	put_field(&line, "answer", answer_text(answer, refusal->answer, refusal->status));
	put_field(&line, "subject", refusal->subject);
	line_end_counted(&line, rate);
}

bool journal_may_tell_of_certificate(bool admitted)
{
	return journal.target != LOG_OFF && rate_allows(&certificate_rates[admitted]);
}

void journal_new_certificate(const struct refusal *who, const struct certificate_words *words)
{
	struct line line;

	line_begin(&line, "new-certificate");
	put_field(&line, "reason", reason_word(who->reason));
	put_ends(&line, who);
	put_field(&line, "subject", words->subject);
	put_field(&line, "issuer", words->issuer);
	put_field(&line, "serial", words->serial);
	put_field(&line, "not-after", words->not_after);
	put_field(&line, "eku", words->extended_key_usage);
	put_number(&line, "chain", words->sent);
	put_field(&line, "sha256", words->sha256);
	line_end_counted(&line, &certificate_rates[who->reason == REASON_NONE]);
}

void journal_started(const char *policy, size_t rules, const char *openssl)
{
	struct line line;

	if (journal.target == LOG_OFF)
		return;
	line_begin(&line, "started");
	put_field(&line, "version", CFSHIM_VERSION);
	put_field(&line, "policy", policy);
	put_number(&line, "rules", rules);
	put_field(&line, "openssl", openssl);
	line_end(&line);
}

void journal_policy_error(const char *policy, const char *why)
{
	struct line line;

	if (journal.target == LOG_OFF)
		return;
	line_begin(&line, "policy-error");
	put_field(&line, "policy", policy);
	put_field(&line, "reason", why);
	line_end(&line);
}

void journal_policy_changed(const char *policy, size_t rules, unsigned long generation,
			    const char *note)
{
	struct line line;

	if (journal.target == LOG_OFF)
		return;
	line_begin(&line, "policy-changed");
	put_field(&line, "policy", policy);
	put_number(&line, "rules", rules);
	put_number(&line, "generation", generation);
	put_field(&line, "note", note);
	line_end(&line);
}

void journal_policy_kept(const char *policy, const char *why)
{
	struct line line;

	if (journal.target == LOG_OFF)
		return;
	line_begin(&line, "policy-kept");
	put_field(&line, "reason", why);
	put_field(&line, "policy", policy);
	line_end(&line);
}

void journal_uncovered(const char *library, const char *why)
{
	struct line line;

	if (journal.target == LOG_OFF)
		return;
	line_begin(&line, "uncovered");
	put_field(&line, "library", library);
	put_field(&line, "reason", why);
	line_end(&line);
}
