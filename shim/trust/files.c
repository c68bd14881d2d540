#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what was seen ---- */

void file_look(struct file_seen *file, const char *path)
{
	*file = (struct file_seen){.path = (char *)(uintptr_t)path};
	if (stat(path, &file->status) != 0)
		file->error_number = errno;
}

static bool is_same_moment(struct timespec left, struct timespec right)
{
	return left.tv_sec == right.tv_sec && left.tv_nsec == right.tv_nsec;
}

static bool is_same_status(const struct stat *left, const struct stat *right)
{
	return left->st_dev == right->st_dev && left->st_ino == right->st_ino &&
	       left->st_size == right->st_size && left->st_uid == right->st_uid &&
	       is_same_moment(left->st_mtim, right->st_mtim) &&
	       is_same_moment(left->st_ctim, right->st_ctim);
}

bool file_is_same(const struct file_seen *left, const struct file_seen *right)
{
	return left->error_number == right->error_number &&
	       (left->error_number != 0 || is_same_status(&left->status, &right->status));
}

void files_seen_add(struct files_seen *seen, const struct file_seen *file)
{
	struct file_seen *grown;
	char *path;

	/* Rules beside each other name the same one. */
	for (size_t i = seen->count; i-- > 0;)
		if (strcmp(seen->list[i].path, file->path) == 0) {
			seen->is_mixed |= !file_is_same(&seen->list[i], file);
			return;
		}
	grown = realloc(seen->list, (seen->count + 1) * sizeof(*grown));
	path = strdup(file->path);
	if (grown != NULL)
		seen->list = grown;
	if (grown == NULL || path == NULL) {
		free(path);
		seen->out_of_memory = true;
		return;
	}
	grown[seen->count] = *file;
	grown[seen->count++].path = path;
}

void files_seen_clear(struct files_seen *seen)
{
	for (size_t i = 0; i < seen->count; i++)
		free(seen->list[i].path);
	free(seen->list);
	*seen = (struct files_seen){.list = NULL};
}

/* ---- bytes ---- */

static char *read_open_file(int descriptor, size_t most, size_t *length)
{
	struct stat status;
	ssize_t got = 1;
	char *bytes;

	if (fstat(descriptor, &status) != 0)
		return NULL;
	if (!S_ISREG(status.st_mode) || (uintmax_t)status.st_size > most) {
		errno = S_ISREG(status.st_mode) ? EFBIG : EINVAL;
		return NULL;
	}
	bytes = malloc((size_t)status.st_size + 1);
	while (bytes != NULL && got > 0 && *length < (size_t)status.st_size) {
		got = read(descriptor, bytes + *length, (size_t)status.st_size - *length);
		*length += got > 0 ? (size_t)got : 0;
	}
	if (bytes == NULL || got < 0) {
		free(bytes);
		return NULL;
	}
	bytes[*length] = '\0';
	return bytes;
}

/* Read by `descriptor`, -1 where it cannot be opened. */
static void see(struct files_seen *seen, const char *path, int descriptor,
		const struct stat *before)
{
	struct file_seen file, now = {.path = NULL};

	file_look(&file, path);
	if (descriptor >= 0) {
		now.error_number = fstat(descriptor, &now.status) == 0 ? 0 : errno;
		file.error_number = 0;
		file.status = *before;
		seen->is_mixed |= !file_is_same(&file, &now);
	}
	files_seen_add(seen, &file);
}

char *file_bytes(const char *path, size_t most, size_t *length, struct files_seen *seen)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int error_number = errno;
	struct stat before = {.st_size = 0};
	char *bytes = NULL;

	*length = 0;
	if (descriptor >= 0) {
		fstat(descriptor, &before);
		bytes = read_open_file(descriptor, most, length);
		error_number = errno;
	}
	if (seen != NULL)
		see(seen, path, descriptor, &before);
	if (descriptor >= 0)
		close(descriptor);
	errno = error_number;
	return bytes;
}

const char *file_failure(int error_number)
{
	switch (error_number) {
	case EFBIG:
		return "the file is over 4 MiB";
	case EINVAL:
	case EISDIR:
		return "not a regular file";
	case ENOENT:
	case ENOTDIR:
		return "no such file";
	case EACCES:
		return "permission denied";
	default:
		return "cannot be read";
	}
}

/* What a value of `ca` or of `crl` names; `needs` says which it must be. */
static void read_source(const struct policy *policy, const struct ca_source *source,
			const char *needs, struct ca_text *text, struct files_seen *seen,
			struct complaints *complaints)
{
	const char *wrong = NULL;

	if (source->path == NULL)
		return;
	text->bytes = file_bytes(source->path, CA_FILE_MAX_BYTES, &text->length, seen);
	if (text->bytes == NULL)
		wrong = file_failure(errno);
	else if (text->length == 0)
		wrong = "the file is empty";
	if (wrong != NULL)
		complain(complaints, SEVERITY_ERROR, source->at,
			 policy_source_line(policy, source->at.line), "%s: %s; %s", source->path,
			 wrong, needs);
}

struct ca_text *ca_texts_read(const struct policy *policy, const struct rule *rule,
			      struct files_seen *seen, struct complaints *complaints)
{
	struct ca_text *texts = calloc(rule->ca_count + rule->crl_count, sizeof(*texts));

	for (size_t i = 0; texts != NULL && i < rule->ca_count; i++)
		read_source(policy, &rule->ca[i],
			    "ca takes a readable PEM file with a CA certificate", &texts[i], seen,
			    complaints);
	for (size_t i = 0; texts != NULL && i < rule->crl_count; i++)
		read_source(policy, &rule->crl[i], "crl takes a readable PEM file with a CRL",
			    &texts[rule->ca_count + i], seen, complaints);
	return texts;
}

void ca_texts_free(struct ca_text *texts, const struct rule *rule)
{
	for (size_t i = 0; texts != NULL && i < rule->ca_count + rule->crl_count; i++)
		free(texts[i].bytes);
	free(texts);
}

void peer_files_read(struct policy *policy, struct files_seen *seen, struct complaints *complaints)
{
	const size_t count = policy_peer_file_count(policy);

	for (size_t i = 0; i < count; i++) {
		const struct peer_file *file = policy_peer_file(policy, i);
		size_t length;
		char *text = file_bytes(file->path, POLICY_MAX_BYTES, &length, seen);

		if (text != NULL)
			policy_peer_file_take(policy, i, text, length, complaints);
		else
			complain(complaints, SEVERITY_ERROR, file->at,
				 policy_source_line(policy, file->at.line),
				 "%s: %s; it must be a readable file of CIDRs, one a line",
				 file->path, file_failure(errno));
		free(text);
	}
	if (count > 0)
		policy_peers_settle(policy, complaints);
}
