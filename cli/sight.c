#include "sight.h"

#include "wire/page.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 8446, 6; and of earlier versions what is still seen. */
static const char *const alerts[] = {
	[0] = "close_notify",
	[10] = "unexpected_message",
	[20] = "bad_record_mac",
	[22] = "record_overflow",
	[40] = "handshake_failure",
	[41] = "no_certificate",
	[42] = "bad_certificate",
	[43] = "unsupported_certificate",
	[44] = "certificate_revoked",
	[45] = "certificate_expired",
	[46] = "certificate_unknown",
	[47] = "illegal_parameter",
	[48] = "unknown_ca",
	[49] = "access_denied",
	[50] = "decode_error",
	[51] = "decrypt_error",
	[70] = "protocol_version",
	[71] = "insufficient_security",
	[80] = "internal_error",
	[86] = "inappropriate_fallback",
	[90] = "user_canceled",
	[100] = "no_renegotiation",
	[109] = "missing_extension",
	[110] = "unsupported_extension",
	[112] = "unrecognized_name",
	[113] = "bad_certificate_status_response",
	[115] = "unknown_psk_identity",
	[116] = "certificate_required",
	[120] = "no_application_protocol",
};
#define ALERT_COUNT ((int)(sizeof(alerts) / sizeof(alerts[0])))

/* A record of TLS with an alert in the clear, which is how a TLS server answers plain text. */
#define ALERT_RECORD_BYTES 7
static int alert_in_clear(const struct sight *sight)
{
	const unsigned char *text = (const unsigned char *)sight->text;

	return sight->bytes == ALERT_RECORD_BYTES && text[0] == SSL3_RT_ALERT &&
			       text[1] == SSL3_VERSION_MAJOR
		       ? text[ALERT_RECORD_BYTES - 1]
		       : -1;
}

/* The status of an answer by HTTP/1; 0: it is none. */
static unsigned status_of(const struct sight *sight)
{
	const char *text = sight->text;

	if (strncmp(text, "HTTP/1.", 7) != 0 || text[7] == '\0' || text[8] != ' ')
		return 0;
	return (unsigned)strtoul(text + 9, NULL, 10);
}

static bool is_refusal_status(unsigned status)
{
	return status >= 400 && status <= 599;
}

/* The page of `reject STATUS`, and those by which servers tell that it was the certificate, or the
 * lack of TLS. */
static bool is_refusal_page(const struct sight *sight)
{
	static const char *const phrases[] = {
		"No required SSL certificate was sent",              /* nginx */
		"The SSL certificate error",                         /* nginx */
		"The plain HTTP request was sent to HTTPS port",     /* nginx */
		"speaking plain HTTP to an SSL-enabled server port", /* Apache */
		"Client sent an HTTP request to an HTTPS server",    /* Go */
	};
	const unsigned status = status_of(sight);
	const char *page = strstr(sight->text, "\r\n\r\n");
	char own[PAGE_MAX_BYTES];

	if (!is_refusal_status(status) || page == NULL)
		return false;
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (strstr(page, phrases[i]) != NULL)
			return true;
	own[page_write(own, status)] = '\0';
	return strcmp(page + 4, own) == 0;
}

bool sight_is_answer(const struct sight *sight)
{
	return sight->bytes > 0 && alert_in_clear(sight) < 0 && !is_refusal_page(sight);
}

static enum finding judge_answer(const struct sight *sight, const struct sight *good)
{
	const unsigned status = status_of(sight);

	if (!sight_is_answer(sight))
		return FINDING_CLOSED;
	if (sight->is_plain || !is_refusal_status(status))
		return FINDING_WAY_IN;
	return good != NULL && status_of(good) != status ? FINDING_CLOSED : FINDING_UNCLEAR;
}

enum finding sight_judge(const struct sight *sight, const struct sight *good)
{
	if (sight->unreached != 0)
		return FINDING_UNCLEAR;
	if (sight->is_shaken && !sight->is_asked && !sight->is_resumed)
		return FINDING_WAY_IN;
	if (sight->bytes > 0)
		return judge_answer(sight, good);
	if (sight->alert >= 0 || sight->is_unspoken)
		return FINDING_CLOSED;
	if (sight->own != NULL || sight->ending == ENDING_OPEN)
		return FINDING_UNCLEAR;
	if (sight->is_accepted && (good == NULL || !sight_is_answer(good)))
		return FINDING_UNCLEAR;
	return FINDING_CLOSED;
}

/* ---- in words ---- */

static void print_alert(char *text, size_t size, const char *before, int alert)
{
	if (alert < ALERT_COUNT && alerts[alert] != NULL)
		snprintf(text, size, "%salert %s", before, alerts[alert]);
	else
		snprintf(text, size, "%salert %d", before, alert);
}

/* The first line, of HTTP without its words; what cannot be shown is a dot. */
#define QUOTED_BYTES 40
static void print_quoted(char *text, size_t size, const char *before, const struct sight *sight)
{
	char line[QUOTED_BYTES + 1];
	size_t length = status_of(sight) ? strlen("HTTP/1.1 200") : strcspn(sight->text, "\r\n");

	if (length > QUOTED_BYTES)
		length = QUOTED_BYTES;
	for (size_t i = 0; i < length; i++)
		line[i] = (char)(isprint((unsigned char)sight->text[i]) ? sight->text[i] : '.');
	line[length] = '\0';
	if (is_refusal_page(sight))
		snprintf(text, size, "%srefusal: %s", before, line);
	else
		snprintf(text, size, "%s%zu bytes%s: %s", before, sight->bytes,
			 sight->is_plain ? " in clear" : "", line);
}

static const char *ending_words(const struct sight *sight)
{
	switch (sight->ending) {
	case ENDING_CLOSED:
		return sight->is_shaken ? "not a byte, EOF" : "EOF";
	case ENDING_RESET:
		return sight->is_shaken ? "not a byte, RST" : "RST";
	case ENDING_OPEN:
		break;
	}
	return sight->is_shaken ? "not a byte, and kept open" : "timeout";
}

void sight_print(char text[SIGHT_LINE_BYTES], const struct sight *sight)
{
	const char *before = sight->is_resumed                      ? "resumed; "
			     : sight->is_shaken && !sight->is_asked ? "not asked; "
								    : "";

	if (sight->unreached != 0)
		snprintf(text, SIGHT_LINE_BYTES, "no connection: %s", strerror(sight->unreached));
	else if (alert_in_clear(sight) >= 0)
		print_alert(text, SIGHT_LINE_BYTES, "", alert_in_clear(sight));
	else if (sight->bytes > 0)
		print_quoted(text, SIGHT_LINE_BYTES, before, sight);
	else if (sight->alert >= 0)
		print_alert(text, SIGHT_LINE_BYTES, before, sight->alert);
	else if (sight->is_unspoken)
		snprintf(text, SIGHT_LINE_BYTES, "another version of TLS");
	else if (sight->own != NULL)
		snprintf(text, SIGHT_LINE_BYTES, "OpenSSL here: %s", sight->own);
	else
		snprintf(text, SIGHT_LINE_BYTES, "%s%s", before, ending_words(sight));
}
