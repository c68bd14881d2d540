/* However it is cut, the head of a request ends at the same byte, which is where a plain reading of
 * the whole finds its end; and the answer is one, with a body of the length that it says. */
#include "wire/http1.h"

#include "pieces.h"

#include <stdbool.h>
#include <stdio.h>

/* A line from `at` on without its CRs; where the next one begins, 0: it has no end. */
static size_t next_line(const uint8_t *bytes, size_t size, size_t at, char *line, size_t *length)
{
	*length = 0;
	for (; at < size; at++) {
		if (bytes[at] == '\n')
			return at + 1;
		if (bytes[at] != '\r')
			line[(*length)++] = (char)bytes[at];
	}
	return 0;
}

/* Where the head ends; 0: it does not. */
static size_t search(const uint8_t *bytes, size_t size, bool *is_head)
{
	char *line = malloc(size + 1);
	size_t at = 0, length = 0;
	const char *blank;

	DEMAND(line != NULL);
	do
		at = next_line(bytes, size, at, line, &length);
	while (at > 0 && length == 0);
	blank = memchr(line, ' ', length);
	*is_head = length > 4 && memcmp(line, "HEAD ", 5) == 0;
	/* Of HTTP/0.9 there is no more. */
	if (blank != NULL && memchr(blank + 1, ' ', length - (size_t)(blank + 1 - line)) != NULL)
		while (at > 0 && length > 0)
			at = next_line(bytes, size, at, line, &length);
	else if (at > 0 && blank == NULL && length > 0)
		*is_head = false;
	free(line);
	return at;
}

static void check_answer(unsigned status, bool is_head)
{
	char answer[HTTP1_ANSWER_MAX_BYTES], length[32];
	const size_t count = http1_answer(answer, status, is_head);
	const char *body;

	DEMAND(count < sizeof(answer) && strlen(answer) == count);
	body = strstr(answer, "\r\n\r\n");
	DEMAND(body != NULL);
	body += 4;
	DEMAND(is_head == (*body == '\0'));
	snprintf(length, sizeof(length), "Content-Length: %zu\r\n", strlen(body));
	DEMAND(is_head || strstr(answer, length) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	uint32_t chance = take_chance(&input, &size);
	const unsigned status = 400 + chance % 200;
	enum http1_progress progress = HTTP1_MORE;
	struct http1_head whole = {0}, cut = {0};
	const enum http1_progress at_once = http1_read(&whole, input, size);
	bool is_head = false;
	const size_t end = search(input, size, &is_head);

	for (size_t at = 0; at < size && progress == HTTP1_MORE;) {
		const size_t piece = piece_size(&chance, size - at);
		unsigned char *copy = piece_copy(input + at, piece);

		progress = http1_read(&cut, copy, piece);
		free(copy);
		at += piece;
	}
	DEMAND(progress == at_once && cut.bytes == whole.bytes && cut.is_head == whole.is_head);
	DEMAND((at_once == HTTP1_COMPLETE) == (end > 0 && end <= HTTP1_HEAD_MAX_BYTES));
	DEMAND((at_once == HTTP1_TOO_LONG) ==
	       (size > HTTP1_HEAD_MAX_BYTES && (end == 0 || end > HTTP1_HEAD_MAX_BYTES)));
	if (at_once == HTTP1_COMPLETE)
		DEMAND(whole.bytes == end && whole.is_head == is_head);
	check_answer(status, whole.is_head);
	return 0;
}
