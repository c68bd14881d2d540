/* journal_line.c - a line as logfmt, or as a JSON object of the same keys. */
#include "journal_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define SYSLOG_PRIORITY "<84>" /* authpriv, warning */

static void put(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct line *line, const char *format, ...)
{
	size_t room = sizeof(line->text) - line->length;
	va_list arguments;
	int wanted;

	va_start(arguments, format);
	wanted = vsnprintf(line->text + line->length, room, format, arguments);
	va_end(arguments);
	if (wanted > 0)
		line->length += (size_t)wanted < room ? (size_t)wanted : room - 1;
}

static bool is_plain(const char *value)
{
	for (; *value != '\0'; value++)
		if (*value <= ' ' || *value > '~' || *value == '"' || *value == '=' ||
		    *value == '\\')
			return false;
	return true;
}

static void put_quoted(struct line *line, const char *value, bool json)
{
	put(line, "\"");
	for (; *value != '\0' && line->length < sizeof(line->text) - 64; value++) {
		if (*value == '"' || *value == '\\')
			put(line, "\\%c", *value);
		else if (*value >= ' ' && *value <= '~')
			put(line, "%c", *value);
		else
			put(line, json ? "\\u00%02x" : "\\x%02X", (unsigned)(unsigned char)*value);
	}
	put(line, "\"");
}

void put_field(struct line *line, const char *key, const char *value)
{
	if (value == NULL || *value == '\0')
		value = "-";
	if (journal.target == LOG_JSON_FILE) {
		put(line, ",\"%s\":", key);
		put_quoted(line, value, true);
	} else {
		put(line, " %s=", key);
		if (is_plain(value))
			put(line, "%s", value);
		else
			put_quoted(line, value, false);
	}
}

void put_number(struct line *line, const char *key, unsigned long number)
{
	put(line, journal.target == LOG_JSON_FILE ? ",\"%s\":%lu" : " %s=%lu", key, number);
}

void line_begin(struct line *line, const char *event)
{
	struct timespec now;
	struct tm utc;
	char stamp[32] = "-";

	line->length = 0;
	if (journal.target == LOG_JSON_FILE) {
		clock_gettime(CLOCK_REALTIME, &now);
		if (gmtime_r(&now.tv_sec, &utc) != NULL)
			strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &utc);
		put(line, "{\"time\":\"%s\",\"pid\":%ld,\"event\":\"%s\"", stamp, (long)getpid(),
		    event);
	} else {
		put(line, "%scfshim[%ld]: %s", journal.target == LOG_SYSLOG ? SYSLOG_PRIORITY : "",
		    (long)getpid(), event);
	}
}

void line_finish(struct line *line)
{
	put(line, journal.target == LOG_JSON_FILE ? "}\n"
		  : journal.target == LOG_SYSLOG  ? ""
						  : "\n");
}
