#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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

char *file_bytes(const char *path, size_t most, size_t *length)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int error_number;
	char *bytes;

	*length = 0;
	if (descriptor < 0)
		return NULL;
	bytes = read_open_file(descriptor, most, length);
	error_number = errno;
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
			const char *needs, struct ca_text *text, struct complaints *complaints)
{
	const char *wrong = NULL;

	if (source->path == NULL)
		return;
	text->bytes = file_bytes(source->path, CA_FILE_MAX_BYTES, &text->length);
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
			      struct complaints *complaints)
{
	struct ca_text *texts = calloc(rule->ca_count + rule->crl_count, sizeof(*texts));

	for (size_t i = 0; texts != NULL && i < rule->ca_count; i++)
		read_source(policy, &rule->ca[i],
			    "ca takes a readable PEM file with a CA certificate", &texts[i],
			    complaints);
	for (size_t i = 0; texts != NULL && i < rule->crl_count; i++)
		read_source(policy, &rule->crl[i], "crl takes a readable PEM file with a CRL",
			    &texts[rule->ca_count + i], complaints);
	return texts;
}

void ca_texts_free(struct ca_text *texts, const struct rule *rule)
{
	for (size_t i = 0; texts != NULL && i < rule->ca_count + rule->crl_count; i++)
		free(texts[i].bytes);
	free(texts);
}

void peer_files_read(struct policy *policy, struct complaints *complaints)
{
	const size_t count = policy_peer_file_count(policy);

	for (size_t i = 0; i < count; i++) {
		const struct peer_file *file = policy_peer_file(policy, i);
		size_t length;
		char *text = file_bytes(file->path, POLICY_MAX_BYTES, &length);

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
