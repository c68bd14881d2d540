#include "http_request.h"

#include "http_authority.h"

#include <string.h>
#include <strings.h>

/* ---- where the head ends ---- */

static bool request_line_parse(struct piece line, struct piece *method, struct piece *target,
			       bool *is_1_1);

static bool is_plain(unsigned char byte)
{
	return byte >= ' ' && byte != 0x7f;
}

/* CR stands before LF, and LF behind CR; of what is below a blank, nothing else but the tab in a
 * line. */
static bool may_follow(unsigned char byte, unsigned char before)
{
	if ((byte == '\n') != (before == '\r'))
		return false;
	return is_plain(byte) || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Who speaks another protocol is not to wait for a head that never ends. */
static bool first_line_is_good(const char *bytes, size_t length)
{
	struct piece method, target;
	bool is_1_1;

	return request_line_parse((struct piece){bytes, length}, &method, &target, &is_1_1);
}

/* Bytes that are looked at together: a loop of so many that compilers make one step of. */
#define BLOCK_BYTES 16

static bool are_plain(const char *bytes)
{
	unsigned char odd = 0;

	for (size_t i = 0; i < BLOCK_BYTES; i++)
		odd = (unsigned char)(odd + (is_plain((unsigned char)bytes[i]) ? 0u : 1u));
	return odd == 0;
}

/* How many bytes from there on are plain, so that each may follow the other: most of a head, which
 * is on the way of every request. */
static size_t skip_plain(const char *bytes, size_t count)
{
	size_t at = 0;

	while (count - at >= BLOCK_BYTES && are_plain(bytes + at))
		at += BLOCK_BYTES;
	while (at < count && is_plain((unsigned char)bytes[at]))
		at++;
	return at;
}

enum http_head http_head_find(const char *bytes, size_t count, size_t *looked, size_t *length)
{
	size_t end = count;

	if (end > HTTP_HEAD_MAX_BYTES)
		end = HTTP_HEAD_MAX_BYTES;
	for (size_t i = *looked; i < end; i++) {
		if (i > 0 && bytes[i - 1] != '\r')
			i += skip_plain(bytes + i, end - i);
		if (i == end)
			break;
		if (!may_follow((unsigned char)bytes[i], i > 0 ? (unsigned char)bytes[i - 1] : ' '))
			return HTTP_HEAD_WRONG;
		if (bytes[i] != '\n')
			continue;
		if (memchr(bytes, '\n', i) == NULL && !first_line_is_good(bytes, i - 1))
			return HTTP_HEAD_WRONG;
		if (i >= 2 && bytes[i - 2] == '\n') {
			*length = i + 1;
			return HTTP_HEAD_WHOLE;
		}
	}
	*looked = end;
	return count < HTTP_HEAD_MAX_BYTES ? HTTP_HEAD_MORE : HTTP_HEAD_WRONG;
}

/* ---- the first line ---- */

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

		if (target.length <= length || strncasecmp(target.at, schemes[i], length) != 0)
			continue;
		authority->at = target.at + length;
		while (authority->length < target.length - length &&
		       authority->at[authority->length] != '/')
			authority->length++;
		return authority->length > 0;
	}
	return false;
}

static bool request_line_parse(struct piece line, struct piece *method, struct piece *target,
			       bool *is_1_1)
{
	struct piece authority;

	if (!piece_cut(&line, ' ', method) || !is_method(*method) || !piece_cut(&line, ' ', target))
		return false;
	if (memchr(target->at, '\t', target->length) != NULL)
		return false;
	*is_1_1 = line.length == 8 && memcmp(line.at, "HTTP/1.1", 8) == 0;
	if (!*is_1_1 && (line.length != 8 || memcmp(line.at, "HTTP/1.0", 8) != 0))
		return false;
	return target_parse(*target, &authority) ||
	       (piece_is_word(*method, "OPTIONS") && piece_is_word(*target, "*"));
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
	if (!piece_cut(&line, ':', &name) || !piece_is_token(name))
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

static bool length_parse(struct piece value, uint64_t *length)
{
	*length = 0;
	for (size_t i = 0; i < value.length; i++) {
		if (!piece_is_digit(value.at[i]))
			return false;
		*length = *length * 10 + (uint64_t)(value.at[i] - '0');
	}
	return value.length > 0 && value.length <= 18;
}

/* RFC 9112, 6.  To some hosts a GET has no body, whatever it says (RFC 9110, 9.3.1). */
static bool body_parse(const struct head *head, struct piece method, bool is_1_1,
		       struct http_request *request)
{
	const struct piece coding = head->values[FIELD_CODING];
	const struct piece length = head->values[FIELD_LENGTH];

	if (coding.at != NULL &&
	    (length.at != NULL || !is_1_1 || !piece_is_word(coding, "chunked")))
		return false;
	if (length.at != NULL && !length_parse(length, &request->content_length))
		return false;
	request->is_chunked = coding.at != NULL;
	return (!request->is_chunked && request->content_length == 0) ||
	       (!piece_is_word(method, "GET") && !piece_is_word(method, "HEAD") &&
		!piece_is_word(method, "TRACE") && !piece_is_word(method, "OPTIONS"));
}

/* To another protocol but WebSocket it may not go: in h2 the requests would be others'. */
static bool upgrade_parse(const struct head *head, struct piece method, bool is_1_1,
			  struct http_request *request)
{
	const struct piece upgrade = head->values[FIELD_UPGRADE];
	const struct piece expect = head->values[FIELD_EXPECT];

	if (expect.at != NULL && !piece_is_word(expect, "100-continue"))
		return false;
	request->upgrades = upgrade.at != NULL;
	return upgrade.at == NULL || (piece_is_word(upgrade, "websocket") && is_1_1 &&
				      piece_is_word(method, "GET") && expect.at == NULL);
}

/* The target's and the Host's are the same, or there is a Host alone, or neither; HTTP/1.1 has one.
 * Of a target alone some host programs know nothing, who look at the Host. */
static bool host_parse(const struct head *head, struct piece target, bool is_1_1,
		       struct http_request *request)
{
	const struct piece host = head->values[FIELD_HOST];
	struct piece authority, name = {NULL, 0};
	bool is_good = true;

	if (!target_parse(target, &authority))
		authority.length = 0; /* `*` */
	if (host.at == NULL && (is_1_1 || authority.length > 0))
		return false;
	if (authority.length > 0 && host.at != NULL &&
	    (authority.length != host.length ||
	     strncasecmp(authority.at, host.at, host.length) != 0))
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
	struct piece rest = {head, length}, line, method, target;
	struct head said = {0};
	bool is_1_1;

	*request = (struct http_request){0};
	if (!piece_cut(&rest, '\n', &line) || line.length == 0)
		return false;
	line.length--; /* the CR, as in each line */
	if (!request_line_parse(line, &method, &target, &is_1_1))
		return false;
	/* Methods have a case; what others make of `head` is not known. */
	request->is_head = method.length == 4 && memcmp(method.at, "HEAD", 4) == 0;
	while (piece_cut(&rest, '\n', &line) && line.length > 1) {
		line.length--;
		if (!field_parse(line, &said))
			return false;
	}
	return host_parse(&said, target, is_1_1, request) &&
	       body_parse(&said, method, is_1_1, request) &&
	       upgrade_parse(&said, method, is_1_1, request);
}
