#include "http_response.h"

#include <string.h>
#include <strings.h>

static void head_begin(struct http_response *response)
{
	response->state = HTTP_RESPONSE_HEAD;
	response->status = 0;
	response->is_chunked = response->has_length = false;
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
static bool status_line(struct http_response *response)
{
	static const char form[] = "HTTP/1.";
	const char *line = response->line;

	if (response->line_bytes < 12 || memcmp(line, form, 7) != 0 ||
	    (line[7] != '0' && line[7] != '1') || line[8] != ' ' || line[9] < '1' || line[9] > '5')
		return false;
	for (size_t i = 9; i < 12; i++) {
		if (line[i] < '0' || line[i] > '9')
			return false;
		response->status = response->status * 10 + (unsigned)(line[i] - '0');
	}
	return response->line_bytes == 12 || line[12] == ' ';
}

/* What stands behind NAME and its colon; NULL: it is another field. */
static const char *value_of(const struct http_response *response, const char *name)
{
	const size_t length = strlen(name);
	const char *at = response->line;

	if (response->line_bytes < length || strncasecmp(at, name, length) != 0)
		return NULL;
	at += length;
	return at + strspn(at, " \t");
}

static bool length_line(struct http_response *response, const char *value)
{
	const size_t digits = strspn(value, "0123456789");

	if (response->has_length || digits == 0 || digits > 18 ||
	    value[digits + strspn(value + digits, " \t")] != '\0')
		return false;
	response->has_length = true;
	for (size_t i = 0; i < digits; i++)
		response->length = response->length * 10 + (uint64_t)(value[i] - '0');
	return true;
}

static bool field_line(struct http_response *response)
{
	const char first = response->line[0];
	const char *length, *coding;

	if (first == ' ' || first == '\t')
		return false;
	if ((first | 0x20) != 'c' && (first | 0x20) != 't')
		return true;
	length = value_of(response, "content-length:");
	coding = value_of(response, "transfer-encoding:");
	if (length != NULL)
		return response->line_bytes < sizeof(response->line) &&
		       length_line(response, length);
	if (coding == NULL)
		return true;
	if (response->is_chunked || strcasecmp(coding, "chunked") != 0)
		return false;
	response->is_chunked = true;
	return true;
}

/* RFC 9112, 6.3. */
static void head_end(struct http_response *response)
{
	if (response->status == 101) {
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

static void line_end(struct http_response *response)
{
	const size_t kept = response->line_bytes < sizeof(response->line)
				    ? response->line_bytes
				    : sizeof(response->line) - 1;
	bool good = true;

	response->line[kept] = '\0';
	if (kept > 0 && kept == response->line_bytes && response->line[kept - 1] == '\r')
		response->line[--response->line_bytes] = '\0';
	if (response->status == 0)
		good = status_line(response);
	else if (response->line_bytes == 0)
		head_end(response);
	else
		good = field_line(response);
	if (!good)
		response->state = HTTP_RESPONSE_LOST;
	response->line_bytes = 0;
}

/* Up to the end of a line, or of what is there; how many bytes that is. */
static size_t head_read(struct http_response *response, const char *bytes, size_t count)
{
	const char *end = memchr(bytes, '\n', count);
	const size_t more = end != NULL ? (size_t)(end - bytes) : count;
	const size_t most = sizeof(response->line) - 1;

	if (response->line_bytes < most) {
		const size_t room = most - response->line_bytes;

		memcpy(response->line + response->line_bytes, bytes, more < room ? more : room);
	}
	response->line_bytes += more;
	if (end == NULL)
		return more;
	line_end(response);
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
