/* log.h - the shim's log lines, read one after another as they come. */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>

struct log {
	const char *path;
	size_t offset; /* of the next line */
};

/* "cfshim[4242]: refused reason=no-certificate ...": quotes and escapes are taken off the values;
 * absent is "". */
struct refusal_line {
	char text[2048]; /* the whole line */
	unsigned pid;
	char verdict[32]; /* refused, observed */
	char reason[32];
	char port[16];
	char peer[80];
	char network[16];
	char server_name[256];
	char tls[8];
	char answer[32];
	char subject[512];
	char dropped[16];
};

/* The next `refused` or `observed` line; the lines between are passed over.  False: none came
 * within a second and a half, or with `now` set, there is none. */
bool log_next_refusal(struct log *log, struct refusal_line *refusal, bool now);

/* How many lines hold `text`. */
size_t log_count(const char *path, const char *text);

#endif
