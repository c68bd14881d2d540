#include "http_request.h"

#include "http_authority.h"

#include <endian.h>
#include <string.h>

/* ---- the first line ---- */

struct request_line {
	struct piece method, target;
	struct piece authority; /* of a target that has one; else empty */
	bool is_1_1;
};

static bool is_method(struct piece method)
{
	for (size_t i = 0; i < method.length; i++)
		if (!piece_is_letter(method.at[i]) && method.at[i] != '-' && method.at[i] != '_')
			return false;
	/* A tunnel leads elsewhere. */
	return method.length > 0 && method.length <= 32 && !piece_is_word(method, "CONNECT");
}

/* The authority of http://shop.example/; of a path an empty piece.  False: it is neither.  Behind
 * the authority stands a path: to some, what begins with `?` is still part of it (HAProxy 2.6). */
static bool target_parse(struct piece target, struct piece *authority)
{
	static const char *const schemes[] = {"http://", "https://"};

	*authority = (struct piece){target.at, 0};
	if (target.length > 0 && target.at[0] == '/')
		return true;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		const size_t length = strlen(schemes[i]);

		if (target.length <= length ||
		    !piece_is_spelled((struct piece){target.at, length}, schemes[i]))
			continue;
		authority->at = target.at + length;
		while (authority->length < target.length - length &&
		       authority->at[authority->length] != '/')
			authority->length++;
		return authority->length > 0;
	}
	return false;
}

/* `rest`: the line, without its end. */
static bool request_line_parse(struct piece rest, struct request_line *line)
{
	if (!piece_cut(&rest, ' ', &line->method) || !is_method(line->method) ||
	    !piece_cut(&rest, ' ', &line->target))
		return false;
	if (memchr(line->target.at, '\t', line->target.length) != NULL)
		return false;
	line->is_1_1 = rest.length == 8 && memcmp(rest.at, "HTTP/1.1", 8) == 0;
	if (!line->is_1_1 && (rest.length != 8 || memcmp(rest.at, "HTTP/1.0", 8) != 0))
		return false;
	return target_parse(line->target, &line->authority) ||
	       (piece_is_word(line->method, "OPTIONS") && piece_is_word(line->target, "*"));
}

/* ---- where the head ends ---- */

static bool is_plain(unsigned char byte)
{
	return byte >= ' ' && byte != 0x7f;
}

/* Bytes that are looked at together. */
#define BLOCK_BYTES     sizeof(uint64_t)
#define EACH_BYTE(byte) (UINT64_MAX / UINT8_MAX * (byte))

/* How many bytes of a block, from the first on, are plain for certain: what is below a blank
 * borrows from a highest bit that it does not have, and DEL carries into one.  A plain byte may
 * too, by what comes from its neighbour. */
static size_t plain_of_block(const char *bytes)
{
	uint64_t block, odd;

	memcpy(&block, bytes, sizeof(block));
	block = le64toh(block);
	odd = ((block - EACH_BYTE(' ')) | (block + EACH_BYTE(1))) & ~block & EACH_BYTE(0x80);
	return odd != 0 ? (size_t)__builtin_ctzll(odd) / 8 : BLOCK_BYTES;
}

/* The same of more: most of a head, which is on the way of every request. */
static size_t skip_plain(const char *bytes, size_t count)
{
	size_t at = 0, plain = BLOCK_BYTES;

	while (plain == BLOCK_BYTES && count - at >= BLOCK_BYTES) {
		plain = plain_of_block(bytes + at);
		at += plain;
	}
	while (at < count && is_plain((unsigned char)bytes[at]))
		at++;
	return at;
}

/* Who speaks another protocol is not to wait for a head that never ends. */
static bool first_line_is_good(const char *bytes, size_t length)
{
	struct request_line unused;

	return request_line_parse((struct piece){bytes, length}, &unused);
}

/* CR stands before LF, and LF behind CR; of what is below a blank, nothing else but the tab in a
 * line. */
enum http_head http_head_find(const char *bytes, size_t count, size_t *looked, size_t *length)
{
	const size_t end = count < HTTP_HEAD_MAX_BYTES ? count : HTTP_HEAD_MAX_BYTES;
	bool in_first_line = memchr(bytes, '\n', *looked) == NULL;
	size_t at = *looked + skip_plain(bytes + *looked, end - *looked);

	/* cppcheck-suppress knownConditionTrueFalse ; it takes `end` for 0 */
	for (; at < end; at += skip_plain(bytes + at, end - at)) {
		const size_t line_end = at;

		if (bytes[at] == '\t') {
			at++;
			continue;
		}
		if (bytes[at] != '\r')
			return HTTP_HEAD_WRONG;
		if (at + 1 == end)
			break; /* and is looked at again */
		if (bytes[at + 1] != '\n' ||
		    (in_first_line && !first_line_is_good(bytes, line_end)))
			return HTTP_HEAD_WRONG;
		in_first_line = false;
		at += 2;
		if (bytes[line_end - 1] == '\n') {
			*length = at;
			return HTTP_HEAD_WHOLE;
		}
	}
	*looked = at;
	return count < HTTP_HEAD_MAX_BYTES ? HTTP_HEAD_MORE : HTTP_HEAD_WRONG;
}

/* ---- fields ---- */

/* Those that say whose a request is and where it ends. */
enum { FIELD_HOST, FIELD_LENGTH, FIELD_CODING, FIELD_UPGRADE, FIELD_EXPECT, FIELD_COUNT };
#define FIELD(name)                    \
	{                              \
		name, sizeof(name) - 1 \
	}
static const struct piece fields[FIELD_COUNT] = {
	[FIELD_HOST] = FIELD("host"),
	[FIELD_LENGTH] = FIELD("content-length"),
	[FIELD_CODING] = FIELD("transfer-encoding"),
	[FIELD_UPGRADE] = FIELD("upgrade"),
	[FIELD_EXPECT] = FIELD("expect"),
};

/* What they say; `at` is NULL where one is not there. */
struct head {
	struct piece values[FIELD_COUNT];
};

/* FIELD_COUNT: none of them.  For CGI and its kin `_` is the same as `-`. */
static size_t field_of(struct piece name)
{
	size_t field;

	for (field = 0; field < FIELD_COUNT; field++) {
		size_t i = 0;

		if (fields[field].length != name.length)
			continue;
		while (i < name.length && (name.at[i] == '_' ? '-' : name.at[i] | 0x20) ==
						  (fields[field].at[i] | 0x20))
			i++;
		if (i == name.length)
			break;
	}
	return field;
}

/* A proxy takes fields away that are named there. */
static bool connection_is_good(struct piece value)
{
	struct piece option;
	bool more;

	do {
		more = piece_cut(&value, ',', &option);
		if (field_of(piece_without_blanks(more ? option : value)) <= FIELD_CODING)
			return false;
	} while (more);
	return true;
}

static bool field_parse(struct piece line, struct head *head)
{
	struct piece name;
	size_t field;

	/* Nor does a name begin with a blank: no line goes on in the next. */
	if (!piece_cut_token(&line, ':', &name))
		return false;
	line = piece_without_blanks(line);
	if (piece_is_word(name, "connection"))
		return connection_is_good(line);
	if (piece_is_word(name, "http2-settings"))
		return false;
	field = field_of(name);
	if (field == FIELD_COUNT)
		return true;
	if (head->values[field].at != NULL || !piece_is_word(name, fields[field].at))
		return false;
	head->values[field] = line;
	return true;
}

/* ---- what they come to ---- */

/* RFC 9112, 6.  To some hosts a GET has no body, whatever it says (RFC 9110, 9.3.1). */
static bool body_parse(const struct head *head, const struct request_line *line,
		       struct http_request *request)
{
	const struct piece coding = head->values[FIELD_CODING];
	const struct piece length = head->values[FIELD_LENGTH];

	if (coding.at != NULL &&
	    (length.at != NULL || !line->is_1_1 || !piece_is_word(coding, "chunked")))
		return false;
	if (length.at != NULL && !piece_number(length, &request->content_length))
		return false;
	request->is_chunked = coding.at != NULL;
	return (!request->is_chunked && request->content_length == 0) ||
	       (!piece_is_word(line->method, "GET") && !piece_is_word(line->method, "HEAD") &&
		!piece_is_word(line->method, "TRACE") && !piece_is_word(line->method, "OPTIONS"));
}

/* To another protocol but WebSocket it may not go: in h2 the requests would be others'. */
static bool upgrade_parse(const struct head *head, const struct request_line *line,
			  struct http_request *request)
{
	const struct piece upgrade = head->values[FIELD_UPGRADE];
	const struct piece expect = head->values[FIELD_EXPECT];

	if (expect.at != NULL && !piece_is_word(expect, "100-continue"))
		return false;
	request->upgrades = upgrade.at != NULL;
	return upgrade.at == NULL || (piece_is_word(upgrade, "websocket") && line->is_1_1 &&
				      piece_is_word(line->method, "GET") && expect.at == NULL);
}

/* The target's and the Host's are the same, or there is a Host alone, or neither; HTTP/1.1 has one.
 * Of a target alone some host programs know nothing, who look at the Host. */
static bool host_parse(const struct head *head, const struct request_line *line,
		       struct http_request *request)
{
	const struct piece host = head->values[FIELD_HOST];
	const struct piece authority = line->authority;
	struct piece name = {NULL, 0};
	bool is_good = true;

	if (host.at == NULL && (line->is_1_1 || authority.length > 0))
		return false;
	if (authority.length > 0 && host.at != NULL &&
	    (authority.length != host.length || !piece_is_spelled(authority, host.at)))
		return false;
	if (host.at != NULL && host.length > 0)
		is_good = http_authority_parse(host, &name);
	else if (authority.length > 0)
		is_good = http_authority_parse(authority, &name);
	request->host = name.at;
	request->host_length = name.length;
	return is_good;
}

bool http_request_parse(const char *head, size_t length, struct http_request *request)
{
	struct piece rest = {head, length}, line;
	struct request_line first;
	struct head said = {0};

	*request = (struct http_request){0};
	if (!piece_cut(&rest, '\n', &line) || line.length == 0)
		return false;
	line.length--; /* the CR, as in each line */
	if (!request_line_parse(line, &first))
		return false;
	/* Methods have a case; what others make of `head` is not known. */
	request->is_head = first.method.length == 4 && memcmp(first.method.at, "HEAD", 4) == 0;
	while (piece_cut(&rest, '\n', &line) && line.length > 1) {
		line.length--;
		if (!field_parse(line, &said))
			return false;
	}
	return host_parse(&said, &first, request) && body_parse(&said, &first, request) &&
	       upgrade_parse(&said, &first, request);
}
