#include "http_response.h"

#include "piece.h"

#include <string.h>

static void head_begin(struct http_response *response)
{
	response->state = HTTP_RESPONSE_HEAD;
	response->status = 0;
	response->is_chunked = response->has_length = response->switches = false;
	response->length = 0;
	response->line_bytes = 0;
}

void http_response_expect(struct http_response *response, bool is_head, bool upgrades)
{
	/* Which of two is answered cannot be told from outside. */
	if (response->state != HTTP_RESPONSE_NONE) {
		response->state = HTTP_RESPONSE_LOST;
		return;
	}
	response->no_body = is_head;
	response->upgrades = upgrades;
	head_begin(response);
}

/* HTTP/1.1 200, and what follows */
static bool status_line(struct http_response *response, struct piece line)
{
	static const char form[] = "HTTP/1.";
	const char *at = line.at;

	if (line.length < 12 || memcmp(at, form, 7) != 0 || (at[7] != '0' && at[7] != '1') ||
	    at[8] != ' ' || at[9] < '1' || at[9] > '5')
		return false;
	for (size_t i = 9; i < 12; i++) {
		if (!piece_is_digit(at[i]))
			return false;
		response->status = response->status * 10 + (unsigned)(at[i] - '0');
	}
	return line.length == 12 || at[12] == ' ';
}

static bool field_line(struct http_response *response, struct piece line, bool is_whole)
{
	const char first = *line.at;
	struct piece name;

	if (first == ' ' || first == '\t')
		return false;
	if (((first | 0x20) != 'c' && (first | 0x20) != 't' && (first | 0x20) != 'u') ||
	    !piece_cut(&line, ':', &name))
		return true;
	line = piece_without_blanks(line);
	if (piece_is_word(name, "content-length")) {
		if (response->has_length || !is_whole)
			return false;
		response->has_length = true;
		return piece_number(line, &response->length);
	}
	if (piece_is_word(name, "transfer-encoding")) {
		if (response->is_chunked || !is_whole || !piece_is_word(line, "chunked"))
			return false;
		response->is_chunked = true;
	}
	if (piece_is_word(name, "upgrade"))
		response->switches |= is_whole && piece_is_word(line, "websocket");
	return true;
}

/* RFC 9112, 6.3.  A 101 that does not say to what (RFC 9110, 7.8) is a status like any other: of an
 * application that answers by whichever it is asked for, and reads the next request behind it. */
static void head_end(struct http_response *response)
{
	if (response->status == 101) {
		/* enforces upgrade-in-101 */
		response->upgrades &= response->switches;
		response->state = response->upgrades ? HTTP_RESPONSE_UPGRADED : HTTP_RESPONSE_LOST;
		return;
	}
	if (response->status < 200) { /* not the last word */
		head_begin(response);
		return;
	}
	response->state = HTTP_RESPONSE_BODY;
	if (response->no_body || response->status == 204 || response->status == 304)
		response->body = http_body_of_length(0);
	else if (response->is_chunked)
		response->body = http_body_of_chunks();
	else if (response->has_length)
		response->body = http_body_of_length(response->length);
	else
		response->body = (struct http_body){.state = HTTP_BODY_REST};
	if (response->is_chunked && response->has_length)
		response->state = HTTP_RESPONSE_LOST;
}

/* `line`: as much of it as matters; false: it was longer. */
static void line_end(struct http_response *response, struct piece line, bool is_whole)
{
	bool good = true;

	if (is_whole && line.length > 0 && line.at[line.length - 1] == '\r')
		line.length--;
	if (response->status == 0)
		good = status_line(response, line);
	else if (line.length == 0)
		head_end(response);
	else
		good = field_line(response, line, is_whole);
	if (!good)
		response->state = HTTP_RESPONSE_LOST;
	response->line_bytes = 0;
}

/* Behind what is kept of the line. */
static void line_keep(struct http_response *response, const char *bytes, size_t count)
{
	if (response->line_bytes < sizeof(response->line)) {
		const size_t room = sizeof(response->line) - response->line_bytes;

		memcpy(response->line + response->line_bytes, bytes, count < room ? count : room);
	}
	response->line_bytes += count;
}

/* Up to the end of a line, or of what is there; how many bytes that is.  Mostly the whole line is
 * there, and is read where it stands. */
static size_t head_read(struct http_response *response, const char *bytes, size_t count)
{
	const char *end = memchr(bytes, '\n', count);
	const size_t more = end != NULL ? (size_t)(end - bytes) : count;
	struct piece line = {bytes, more};
	bool is_whole;

	if (end == NULL || response->line_bytes > 0) {
		line_keep(response, bytes, more);
		line = (struct piece){response->line, response->line_bytes};
	}
	if (end == NULL)
		return more;
	is_whole = line.length <= sizeof(response->line);
	if (!is_whole)
		line.length = sizeof(response->line);
	line_end(response, line, is_whole);
	return more + 1;
}

static void body_settle(struct http_response *response)
{
	if (response->state != HTTP_RESPONSE_BODY)
		return;
	if (response->body.state == HTTP_BODY_WRONG)
		response->state = HTTP_RESPONSE_LOST;
	else if (response->body.state == HTTP_BODY_OVER)
		response->state = HTTP_RESPONSE_NONE;
}

void http_response_read(struct http_response *response, const char *bytes, size_t count)
{
	size_t at = 0;

	while (at < count && response->state < HTTP_RESPONSE_UPGRADED) {
		if (response->state == HTTP_RESPONSE_NONE) /* nobody asked */
			response->state = HTTP_RESPONSE_LOST;
		else if (response->state == HTTP_RESPONSE_HEAD)
			at += head_read(response, bytes + at, count - at);
		else
			at += http_body_read(&response->body, bytes + at, count - at);
		body_settle(response);
	}
}

void http_response_skip(struct http_response *response, size_t count)
{
	if (count == 0 || response->state >= HTTP_RESPONSE_UPGRADED)
		return;
	if (response->state == HTTP_RESPONSE_BODY)
		http_body_skip(&response->body, count);
	else
		response->state = HTTP_RESPONSE_LOST;
	body_settle(response);
}
