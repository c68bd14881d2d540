/* counters_layout.h - how the counters lie in memory: what the shim writes, and `cfshim status`
 * reads out of another process.
 *
 * One block of a fixed size in a memfd of this name, shared by all forks of the process that made
 * it.  Numbers are only added to.  A row is free, being written (for good, where its writer died),
 * or there; what is there changes no more but for its numbers.  A reader takes nothing for granted:
 * it copies the block, and looks at the copy.
 *
 * COUNTERS_LAYOUT changes with every change here.  A list of reasons that grows does not change it:
 * the block has their words.
 */
#ifndef CFSHIM_COUNTERS_LAYOUT_H
#define CFSHIM_COUNTERS_LAYOUT_H

#include <stdatomic.h>
#include <stdint.h>

#define COUNTERS_MEMFD  "cfshim-counters"
#define COUNTERS_MAGIC  "cfshim counters" /* with its NUL, 16 bytes */
#define COUNTERS_LAYOUT 2

#define COUNTERS_ROWS       128 /* endpoint and server section */
#define COUNTERS_NAMES      256 /* endpoint and server name that the edge asked for */
#define COUNTERS_REASONS    24
#define COUNTERS_OPENSSLS   4
#define COUNTERS_SECONDS    16 /* of refusals, the last ones */
#define COUNTERS_COUNT_BITS 24 /* of a second's refusals; the second itself stands above */

enum { COUNTERS_ROW_FREE, COUNTERS_ROW_BEGUN, COUNTERS_ROW_THERE };

/* Who came, for `cfshim ready`. */
struct counters_visits {
	_Atomic uint64_t good;      /* with a certificate that the rule admits */
	_Atomic uint64_t without;   /* from Cloudflare's network, with none ... */
	_Atomic uint64_t wrong;     /* ... or with one that the rule does not admit */
	_Atomic uint64_t strangers; /* from elsewhere, with none that the rule admits */
	_Atomic uint64_t exempt;
	_Atomic int64_t last_unready; /* the last of `without` and `wrong`: seconds since 1970 */
};

struct counters_row {
	_Atomic uint32_t state;
	char port[60];    /* "443"; "127.0.0.1:443" under a section of an address; "-": not known */
	char server[256]; /* of a server section; "": the port's own */
	_Atomic uint64_t admitted, exempt, abandoned;
	_Atomic uint64_t observed[COUNTERS_REASONS], refused[COUNTERS_REASONS];
	struct counters_visits others; /* for names that have no row of their own */
};

struct counters_name {
	_Atomic uint32_t state;
	uint32_t row;   /* of its endpoint */
	char name[256]; /* in lower case; "": none was asked for */
	struct counters_visits visits;
};

struct counters_openssl {
	_Atomic uint32_t state;
	char version[28];
};

struct counters {
	char magic[16];
	uint32_t layout;
	uint32_t size;    /* of all this */
	int64_t began;    /* seconds since 1970 */
	char version[16]; /* of the shim */
	char program[64];
	char reasons[COUNTERS_REASONS][24];
	struct counters_openssl openssls[COUNTERS_OPENSSLS];
	char policy[1024]; /* "built-in", or the path; like what follows, of whoever wrote last */
	_Atomic uint64_t rules; /* 0: the policy cannot be used */
	_Atomic uint64_t generation;
	_Atomic uint64_t stale; /* 1: what the path names now is not in force, as ... */
	char why_stale[1024];
	_Atomic int32_t stale_process; /* ... this process of this user has found */
	_Atomic uint32_t stale_user;
	_Atomic int64_t ca_expires; /* the first of the CAs in force, seconds since 1970; 0: none */
	_Atomic uint64_t refused_lately[COUNTERS_SECONDS];
	struct counters_row rows[COUNTERS_ROWS]; /* the first: what has no row of its own */
	struct counters_name names[COUNTERS_NAMES];
};

#endif
