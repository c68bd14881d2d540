/* hostile.h - certificates made to cost, of the classes that have been OpenSSL's vulnerabilities.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdbool.h>

struct hostile {
	const char *what;
	const char *certificate; /* with its key and chain ... */
	const char *leaf;        /* ... or this one, in place of an honest one */
	/* Its encoding alone, not that of a long list, is the attack: in all it may cost two
	 * refusals. */
	bool encoding;
};

/* The last has no `what`. */
extern const struct hostile hostiles[];

/* They are among those of credentials.h from its first call on. */
void hostiles_use(void);

#endif
