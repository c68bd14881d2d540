/* victim.h - the host of an attack, as the attacking side starts and watches it: between attack.c
 * and victim.c.
 */
#ifndef VICTIM_H
#define VICTIM_H

#include "attack.h"

/* Which program this is, below the build, and its table. */
extern const char *attack_program;
extern const struct attack *attack_table;

/* `answer` NULL: bare. */
struct victim victim_start(const struct attack *attack, const char *answer);

/* How often something of a client's has come to the application. */
size_t victim_times_in(const struct server *server);

#endif
