#include "host_guard.h"

#include <stdlib.h>
#include <string.h>

/* A head that is whole, and bytes behind it, as one read brings them. */
#define HELD_MAX_BYTES (HTTP_HEAD_MAX_BYTES + ((size_t)32 << 10))

static void deny(struct host_guard *guard, const struct rule_in_force *by)
{
	guard->state = GUARD_WRONG;
	guard->denied_by = by;
}

/* ---- what passes ---- */

static void begin_body(struct host_guard *guard, const struct http_request *request)
{
	guard->looked = 0;
	http_response_expect(&guard->response, request->is_head, request->upgrades);
	guard->body = request->is_chunked ? http_body_of_chunks()
					  : http_body_of_length(request->content_length);
	if (request->upgrades)
		guard->state = GUARD_UPGRADE;
	else if (guard->body.state != HTTP_BODY_OVER)
		guard->state = GUARD_BODY;
}

/* Who does not know a name in capitals, or with the dot of the DNS at its end, answers as for one
 * that it never heard of. */
static bool is_spelled_plainly(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (name[i] >= 'A' && name[i] <= 'Z')
			return false;
	return length == 0 || name[length - 1] != '.';
}

static void judge_head(struct host_guard *guard, const char *head, size_t length)
{
	const struct rule_in_force *denied_by;
	struct http_request request;
	const bool has_one_reading = http_request_parse(head, length, &request);

	/* enforces one-reading */
	if (!has_one_reading) {
		deny(guard, guard->admitted_by);
		return;
	}
	denied_by = rules_deny_host(&guard->rules, guard->admitted_by, request.host,
				    request.host_length);
	/* enforces one-spelling */
	if (denied_by == NULL && !is_spelled_plainly(request.host, request.host_length))
		denied_by = rules_deny_host(&guard->rules, guard->admitted_by, NULL, 0);
	if (denied_by == NULL) {
		begin_body(guard, &request);
		return;
	}
	guard->denied_head = request.is_head;
	if (request.host != NULL && request.host_length < sizeof(guard->denied_host)) {
		memcpy(guard->denied_host, request.host, request.host_length);
		guard->denied_host[request.host_length] = '\0';
	}
	deny(guard, denied_by);
}

/* The head that begins there: its length, where it passes. */
static size_t pass_head(struct host_guard *guard, const char *bytes, size_t count)
{
	size_t length = 0;
	enum http_head found = http_head_find(bytes, count, &guard->looked, &length);

	if (found == HTTP_HEAD_WRONG)
		deny(guard, guard->admitted_by);
	else if (found == HTTP_HEAD_WHOLE)
		judge_head(guard, bytes, length);
	return found == HTTP_HEAD_WHOLE && guard->state != GUARD_WRONG ? length : 0;
}

static size_t pass_body(struct host_guard *guard, const char *bytes, size_t count)
{
	const size_t length = http_body_read(&guard->body, bytes, count);

	if (guard->body.state == HTTP_BODY_OVER)
		guard->state = GUARD_HEAD;
	else if (guard->body.state == HTTP_BODY_WRONG)
		deny(guard, guard->admitted_by);
	return length;
}

/* Who asked for WebSocket waits for the answer (RFC 6455, 4.1): is it another protocol, now? */
static void pass_upgrade(struct host_guard *guard)
{
	const enum http_response_state state = guard->response.state;
	const bool is_answered = state == HTTP_RESPONSE_NONE || guard->response.status >= 200;

	guard->state = state == HTTP_RESPONSE_UPGRADED ? GUARD_OPAQUE : GUARD_HEAD;
	/* enforces not-before-101 */
	if (state != HTTP_RESPONSE_UPGRADED && !is_answered)
		deny(guard, guard->admitted_by);
}

/* How many bytes pass, from the first on. */
static size_t pass(struct host_guard *guard, const char *bytes, size_t count)
{
	size_t clear = 0;

	while (clear < count && guard->state != GUARD_WRONG) {
		size_t more;

		if (guard->state == GUARD_OPAQUE)
			return count;
		if (guard->state == GUARD_UPGRADE) {
			pass_upgrade(guard);
			continue;
		}
		more = guard->state == GUARD_HEAD ? pass_head(guard, bytes + clear, count - clear)
						  : pass_body(guard, bytes + clear, count - clear);
		if (more == 0)
			break;
		clear += more;
	}
	return clear;
}

/* ---- what is held ---- */

static void let_go(struct host_guard *guard)
{
	free(guard->held);
	guard->held = NULL;
	guard->held_at = guard->held_clear = guard->held_bytes = guard->held_capacity = 0;
}

static bool make_room(struct host_guard *guard, size_t count)
{
	size_t needed = guard->held_bytes + count, capacity = 4096;
	char *grown;

	if (needed > HELD_MAX_BYTES)
		return false;
	if (guard->held_at > 0)
		memmove(guard->held, guard->held + guard->held_at, guard->held_bytes);
	guard->held_at = 0;
	if (needed <= guard->held_capacity)
		return true;
	while (capacity < needed)
		capacity *= 2;
	grown = realloc(guard->held, capacity);
	if (grown == NULL)
		return false;
	guard->held = grown;
	guard->held_capacity = capacity;
	return true;
}

static void keep(struct host_guard *guard, const char *bytes, size_t count)
{
	if (!make_room(guard, count)) {
		deny(guard, guard->admitted_by);
		return;
	}
	memcpy(guard->held + guard->held_bytes, bytes, count);
	guard->held_bytes += count;
}

size_t host_guard_look(struct host_guard *guard, char *bytes, size_t count)
{
	const size_t clear = pass(guard, bytes, count);

	if (guard->state != GUARD_WRONG && clear < count)
		keep(guard, bytes + clear, count - clear);
	return clear;
}

void host_guard_hold(struct host_guard *guard, const char *bytes, size_t count)
{
	if (guard->state == GUARD_WRONG)
		return;
	keep(guard, bytes, count);
	guard->held_clear += pass(guard, guard->held + guard->held_at + guard->held_clear,
				  guard->held_bytes - guard->held_clear);
}

size_t host_guard_take(struct host_guard *guard, char *bytes, size_t size, bool stay)
{
	const size_t count = size < guard->held_clear ? size : guard->held_clear;

	if (count == 0)
		return 0;
	memcpy(bytes, guard->held + guard->held_at, count);
	if (stay)
		return count;
	guard->held_at += count;
	guard->held_clear -= count;
	guard->held_bytes -= count;
	if (guard->held_bytes == 0)
		let_go(guard);
	return count;
}

/* ---- the other way ---- */

void host_guard_answered(struct host_guard *guard, const char *bytes, size_t count)
{
	http_response_read(&guard->response, bytes, count);
}

void host_guard_answered_unseen(struct host_guard *guard, size_t count)
{
	http_response_skip(&guard->response, count);
}

void host_guard_free(struct host_guard *guard)
{
	if (guard == NULL)
		return;
	let_go(guard);
	free(guard->asked);
	free(guard);
}
