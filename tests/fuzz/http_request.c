/* However it is cut, a stream has the same requests, which end at the same bytes; and of what a
 * head is found to be, the plainest reader finds the same.
 */
#include "wire/http_request.h"
#include "wire/http_body.h"
#include "wire/http_response.h"

#include "pieces.h"

#include <strings.h>

/* How many bytes of a stream are requests whose heads are whole and good. */
static size_t follow(const char *bytes, size_t count, struct http_request *last)
{
	struct http_body body = {.state = HTTP_BODY_OVER};
	size_t at = 0;

	while (at < count) {
		size_t looked = 0, length = 0, taken;

		if (body.state == HTTP_BODY_OVER) {
			if (http_head_find(bytes + at, count - at, &looked, &length) !=
				    HTTP_HEAD_WHOLE ||
			    !http_request_parse(bytes + at, length, last))
				return at;
			DEMAND(length <= count - at && length <= HTTP_HEAD_MAX_BYTES);
			body = last->is_chunked ? http_body_of_chunks()
						: http_body_of_length(last->content_length);
			at += length;
			continue;
		}
		taken = http_body_read(&body, bytes + at, count - at);
		at += taken;
		if (body.state != HTTP_BODY_OVER)
			return at;
	}
	return at;
}

/* The lines of a head that has passed, one by one: one field of the name, and the host in it. */
static void check_head(const char *head, size_t length, const struct http_request *request)
{
	unsigned hosts = 0;

	DEMAND(length >= 4 && memcmp(head + length - 4, "\r\n\r\n", 4) == 0);
	for (size_t i = 0; i < length; i++) {
		DEMAND(head[i] != '\0');
		DEMAND(head[i] != '\n' || head[i - 1] == '\r');
		DEMAND(head[i] != '\r' || head[i + 1] == '\n');
		if (head[i] == '\n' && i + 6 < length)
			hosts += strncasecmp(head + i + 1, "host:", 5) == 0;
	}
	DEMAND(hosts <= 1);
	if (request->host == NULL)
		return;
	DEMAND(request->host > head && request->host + request->host_length < head + length);
	for (size_t i = 0; i < request->host_length; i++)
		DEMAND(strchr("/@#,;%\\ \t:[]", request->host[i]) == NULL);
}

/* The same head as its bytes come in. */
static void check_pieces(const char *bytes, size_t size, uint32_t chance)
{
	size_t looked = 0, length = 0, looked_at_once = 0, length_at_once = 0, come = 0;
	const enum http_head at_once =
		http_head_find(bytes, size, &looked_at_once, &length_at_once);
	enum http_head found = HTTP_HEAD_MORE;

	while (come < size && found == HTTP_HEAD_MORE) {
		unsigned char *copy;

		come += piece_size(&chance, size - come);
		copy = piece_copy((const uint8_t *)bytes, come);
		found = http_head_find((const char *)copy, come, &looked, &length);
		free(copy);
	}
	DEMAND(found == at_once);
	if (found == HTTP_HEAD_WHOLE) {
		struct http_request request;
		unsigned char *copy = piece_copy((const uint8_t *)bytes, length);

		DEMAND(length == length_at_once);
		if (http_request_parse((const char *)copy, length, &request))
			check_head((const char *)copy, length, &request);
		free(copy);
	}
}

static void check_answers(const char *bytes, size_t size, uint32_t chance)
{
	struct http_response whole = {0}, cut = {0};

	http_response_expect(&whole, (chance & 1) != 0, (chance & 2) != 0);
	http_response_expect(&cut, (chance & 1) != 0, (chance & 2) != 0);
	http_response_read(&whole, bytes, size);
	for (size_t at = 0; at < size;) {
		const size_t piece = piece_size(&chance, size - at);

		http_response_read(&cut, bytes + at, piece);
		at += piece;
	}
	DEMAND(whole.state == cut.state);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	const uint32_t chance = take_chance(&input, &size);
	const char *bytes = (const char *)input;
	struct http_request last = {0};
	const size_t passed = follow(bytes, size, &last);

	DEMAND(passed <= size);
	/* What follows does not change what was. */
	if (passed > 0)
		DEMAND(follow(bytes, passed, &last) == passed);
	check_pieces(bytes, size, chance);
	check_answers(bytes, size, chance);
	return 0;
}
