#include "policy_watch.h"

#include "root.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STILL_MS    500
#define RESTLESS_MS 5000

/* Who owned what at the start: never changed after it. */
static struct files_seen at_start;

/* What the last reading has seen, whatever became of it.  A child forked in between has the one or
 * the other. */
static _Atomic(struct files_seen *) watched;

void policy_watch_take(struct files_seen *seen)
{
	struct files_seen *taken = malloc(sizeof(*taken)), *before;

	if (taken == NULL)
		return; /* it is read once more */
	*taken = *seen;
	*seen = (struct files_seen){.list = NULL};
	before = atomic_exchange(&watched, taken);
	if (before != NULL)
		files_seen_clear(before);
	free(before);
}

void policy_watch_begin(const struct files_seen *seen)
{
	root_remember();
	for (size_t i = 0; i < seen->count; i++)
		files_seen_add(&at_start, &seen->list[i]);
}

/* ---- stillness ---- */

/* Files that are not as they were, and since when they are as they are now. */
struct unrest {
	uint64_t digest;
	int64_t since;
	int64_t began; /* 0: all is quiet */
	bool is_told;
};
static struct unrest before_reading, after_reading;

static uint64_t mix(uint64_t digest, uint64_t number)
{
	return (digest ^ number) * 0x9e3779b97f4a7c15u ^ digest >> 29;
}

static uint64_t digest_of(uint64_t digest, const struct file_seen *file)
{
	const struct stat *status = &file->status;

	if (file->error_number != 0)
		return mix(digest, (uint64_t)file->error_number);
	digest = mix(mix(digest, status->st_dev), status->st_ino);
	digest = mix(mix(digest, (uint64_t)status->st_size), status->st_uid);
	return mix(mix(digest, (uint64_t)status->st_ctim.tv_sec),
		   (uint64_t)status->st_ctim.tv_nsec);
}

static int64_t milliseconds(struct timespec time)
{
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* By its change time, which nobody can set. */
static bool is_still(const struct file_seen *file)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return file->error_number != 0 ||
	       milliseconds(now) - milliseconds(file->status.st_ctim) >= STILL_MS;
}

/* Where that time is of another clock than ours (a file server's, or ours was set back), they lie
 * still when they were seen so for as long. */
static enum watch judge_unrest(struct unrest *unrest, bool are_still, uint64_t digest, int64_t now)
{
	if (unrest->began == 0)
		*unrest = (struct unrest){.began = now};
	if (unrest->digest != digest || unrest->since == 0) {
		unrest->digest = digest;
		unrest->since = now;
	}
	if (are_still || now - unrest->since >= STILL_MS) {
		unrest->began = 0;
		return WATCH_CHANGED;
	}
	if (now - unrest->began < RESTLESS_MS || unrest->is_told)
		return WATCH_NOTHING;
	unrest->is_told = true;
	return WATCH_RESTLESS;
}

/* ---- looks ---- */

enum watch policy_watch_look(int64_t now)
{
	const struct files_seen *known = atomic_load(&watched);
	bool has_changed = false, are_still = true;
	uint64_t digest = 0;

	/* enforces root-of-start, as root-after-reading does */
	if (!root_is_as_at_start())
		return WATCH_LOST;
	for (size_t i = 0; known != NULL && i < known->count; i++) {
		struct file_seen file;

		file_look(&file, known->list[i].path);
		digest = digest_of(digest, &file);
		if (file_is_same(&file, &known->list[i]))
			continue;
		has_changed = true;
		/* enforces still-files, as still-after-reading does */
		are_still &= is_still(&file);
	}
	if (has_changed)
		return judge_unrest(&before_reading, are_still, digest, now);
	before_reading.began = 0;
	return WATCH_NOTHING;
}

/* The owner that a file must have: that of the start, root where there was none; a file that only
 * a later policy names may be of the policy's owner too. */
static bool has_owner_of_start(const struct file_seen *file)
{
	uid_t owner = file->status.st_uid;

	for (size_t i = 0; i < at_start.count; i++)
		if (strcmp(at_start.list[i].path, file->path) == 0)
			return owner == (at_start.list[i].error_number == 0
						 ? at_start.list[i].status.st_uid
						 : 0);
	return owner == 0 || (at_start.count > 0 && at_start.list[0].error_number == 0 &&
			      owner == at_start.list[0].status.st_uid);
}

enum watch policy_watch_judge(const struct files_seen *seen, int64_t now, char *why, size_t size)
{
	bool are_still = !seen->is_mixed && !seen->out_of_memory;
	uint64_t digest = seen->is_mixed ? (uint64_t)now : 0;

	*why = '\0';
	for (size_t i = 0; i < seen->count; i++) {
		const struct file_seen *file = &seen->list[i];
		struct file_seen after;

		file_look(&after, file->path);
		digest = digest_of(digest, &after);
		if (!file_is_same(file, &after)) /* replaced while others were read */
			digest = (uint64_t)now;
		/* enforces still-after-reading, as still-files does */
		are_still &= file_is_same(file, &after) && is_still(file);
		/* enforces owner-of-start */
		if (file->error_number == 0 && !has_owner_of_start(file) && *why == '\0')
			snprintf(why, size,
				 "%s: its owner is not the one of the start, and it is not read",
				 file->path);
	}
	/* Another thread may have changed it meanwhile. */
	/* enforces root-after-reading, as root-of-start does */
	if (!root_is_as_at_start())
		return WATCH_LOST;
	return judge_unrest(&after_reading, are_still, digest, now);
}
