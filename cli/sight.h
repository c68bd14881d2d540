/* sight.h - what a stranger's connection comes to, and how a table says it.  Pure. */
#ifndef CFSHIM_SIGHT_H
#define CFSHIM_SIGHT_H

#include "stranger.h"

enum finding {
	FINDING_CLOSED,  /* no byte of the application, or a page that says it is a refusal */
	FINDING_UNCLEAR, /* may be a refusal of the application's own, or may be none */
	FINDING_WAY_IN, /* a byte of the application, or a handshake that asks for no certificate */
};

#define SIGHT_LINE_BYTES 128

/* `good` is what a client saw whose certificate should get in; NULL where there was none. */
enum finding sight_judge(const struct sight *sight, const struct sight *good);

/* Something of the application came back. */
bool sight_is_answer(const struct sight *sight);

/* In a few words of printable ASCII. */
void sight_print(char text[SIGHT_LINE_BYTES], const struct sight *sight);

#endif
