/* policy_watch.h - the files of the policy while the host runs: has one changed, is it still, and
 * may it be believed?
 *
 * Looked at by stat() alone; nothing is kept open.  Part of policy_in_force.c, which lets one
 * thread at a time in.  Fork: the child goes on from what was there, whichever thread was within.
 */
#ifndef CFSHIM_POLICY_WATCH_H
#define CFSHIM_POLICY_WATCH_H

#include "trust/files.h"

#include <stdint.h>

/* At load: the files that the start has read, the policy first.  Their owners, and the root
 * directory, are those that count from now on. */
void policy_watch_begin(const struct files_seen *at_start);

/* `seen` is what later looks compare with; it is taken over, and left empty. */
void policy_watch_take(struct files_seen *seen);

enum watch {
	WATCH_NOTHING, /* or nothing that lies still yet */
	WATCH_CHANGED, /* a file is not as it was, and lies still */
	WATCH_LOST,    /* "/" is another: no path leads to the files of the start */
	WATCH_RESTLESS /* a file is written again and again */
};

/* `now`: milliseconds of a clock that only grows. */
enum watch policy_watch_look(int64_t now);

/* What was read just now: WATCH_CHANGED where it may be taken up, or refused for good, which `why`
 * (of `size`) then says: "" where it may.  WATCH_NOTHING: not yet. */
enum watch policy_watch_judge(const struct files_seen *seen, int64_t now, char *why, size_t size);

#endif
