/* However it is cut, the beginning of an HTTP/2 connection is the same request, or none; what
 * counts as one begins with the preface and whole frames; and the answer is whole frames too, on
 * the request's stream. */
#include "wire/http2.h"

#include "pieces.h"

#include <stdbool.h>

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
#define PREFACE_BYTES (sizeof(preface) - 1)

/* The frame at `at`; where the next one begins, `size` and beyond: nowhere. */
static size_t next_frame(const uint8_t *bytes, size_t at, unsigned *type, uint32_t *stream)
{
	*type = bytes[at + 3];
	*stream = ((uint32_t)bytes[at + 5] << 24 | (uint32_t)bytes[at + 6] << 16 |
		   (uint32_t)bytes[at + 7] << 8 | bytes[at + 8]) &
		  0x7fffffffu;
	return at + 9 + ((size_t)bytes[at] << 16 | (size_t)bytes[at + 1] << 8 | bytes[at + 2]);
}

/* What was taken for a request: the preface, settings, and frames that end with those of one. */
static void check_request(const struct http2_head *head, const uint8_t *bytes)
{
	size_t at = PREFACE_BYTES;
	unsigned type = 0, flags = 0;
	uint32_t stream = 0;
	bool is_first = true;

	DEMAND(head->bytes <= HTTP2_HEAD_MAX_BYTES && head->bytes >= PREFACE_BYTES + 18);
	DEMAND(memcmp(bytes, preface, PREFACE_BYTES) == 0);
	while (at < head->bytes) {
		flags = bytes[at + 4];
		at = next_frame(bytes, at, &type, &stream);
		DEMAND(type != 0 && (!is_first || type == 4));
		is_first = false;
	}
	DEMAND(at == head->bytes && (flags & 4) != 0 && (type == 1 || type == 9));
	DEMAND(stream == head->stream && stream % 2 == 1);
}

static void check_answer(const struct http2_head *head, unsigned status)
{
	unsigned char answer[HTTP2_ANSWER_MAX_BYTES];
	const size_t count = http2_answer(answer, head, status);
	unsigned type = 0, first = 0, headers = 0;
	uint32_t stream;

	DEMAND(count <= sizeof(answer));
	for (size_t at = 0; at < count;) {
		const size_t next = next_frame(answer, at, &type, &stream);

		DEMAND(next <= count);
		first += at == 0 && type == 4;
		headers += type == 1;
		DEMAND(stream == 0 || (stream == head->stream && type <= 1));
		at = next;
	}
	DEMAND(first == 1 && type == 7 && headers == (head->stream != 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	uint32_t chance = take_chance(&input, &size);
	const unsigned status = 400 + chance % 200;
	enum http2_progress progress = HTTP2_MORE;
	struct http2_head whole = {0}, cut = {0};
	enum http2_progress at_once;
	uint8_t *bytes;

	/* Half of all inputs are spared the search for the preface. */
	bytes = malloc(size + PREFACE_BYTES);
	DEMAND(bytes != NULL);
	memcpy(bytes, preface, PREFACE_BYTES);
	if (size > 0)
		memcpy(bytes + (chance % 2 ? PREFACE_BYTES : 0), input, size);
	size += chance % 2 ? PREFACE_BYTES : 0;
	at_once = http2_read(&whole, bytes, size);
	for (size_t at = 0; at < size && progress == HTTP2_MORE;) {
		const size_t piece = piece_size(&chance, size - at);
		unsigned char *copy = piece_copy(bytes + at, piece);

		progress = http2_read(&cut, copy, piece);
		free(copy);
		at += piece;
	}
	/* Both were zero before, gaps and all. */
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c) */
	DEMAND(progress == at_once && memcmp(&whole, &cut, sizeof(whole)) == 0);
	if (at_once == HTTP2_COMPLETE)
		check_request(&whole, bytes);
	check_answer(&whole, status);
	free(bytes);
	return 0;
}
