#include "policy_file.h"

#include "trust/files.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

const struct libcrypto linked_libcrypto = {
#define TRUST(symbol) .symbol = symbol,
#include "hooks.def"
};

static const struct position whole_file = {0, 0};

/* Where a file could not be read, the rule's CAs are not looked at: they would be said to be
 * missing once more. */
static struct trust *load_trust(struct policy_file *file, const struct rule *rule)
{
	size_t errors = file->complaints.errors;
	struct ca_text *texts = ca_texts_read(file->policy, rule, NULL, &file->complaints);
	struct trust *trust = NULL;

	if (texts == NULL)
		file->complaints.out_of_memory = true;
	else if (file->complaints.errors == errors)
		trust = trust_load(&linked_libcrypto, file->policy, rule, texts, &file->complaints);
	ca_texts_free(texts, rule);
	return trust;
}

static void load_trusts(struct policy_file *file)
{
	size_t count = policy_rule_count(file->policy);

	file->trusts = calloc(count, sizeof(struct trust *));
	if (file->trusts == NULL) {
		file->complaints.out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		file->trusts[i] = load_trust(file, policy_rule(file->policy, i));
}

static void choose_path(struct policy_file *file, const char *path)
{
	const char *named = getenv("CFSHIM_POLICY");

	file->path = path ? path : named ? named : POLICY_DEFAULT_PATH;
	file->said_by = path ? "named here" : named ? "named by CFSHIM_POLICY" : "the default";
	/* As the shim: any other failure than that there is none is an error. */
	if (path == NULL && named == NULL && access(POLICY_DEFAULT_PATH, F_OK) != 0 &&
	    (errno == ENOENT || errno == ENOTDIR)) {
		file->path = NULL;
		file->said_by = "there is no " POLICY_DEFAULT_PATH;
	}
}

void policy_file_load(struct policy_file *file, const char *path)
{
	size_t length = 0;
	char *text;

	*file = (struct policy_file){.path = NULL};
	choose_path(file, path);
	complaints_begin(&file->complaints, file->path ? file->path : "built-in");
	if (file->path == NULL) {
		file->policy = policy_built_in();
		file->complaints.out_of_memory |= file->policy == NULL;
	} else if ((text = file_bytes(file->path, POLICY_MAX_BYTES, &length, NULL)) == NULL) {
		complain(&file->complaints, SEVERITY_ERROR, whole_file, NULL,
			 "%s; it must be a readable policy file", file_failure(errno));
	} else {
		file->policy = policy_parse(text, length, &file->complaints);
		free(text);
	}
	if (file->policy != NULL) {
		peer_files_read(file->policy, NULL, &file->complaints);
		warn_of_writers(file);
		policy_warn(file->policy, (int64_t)time(NULL), &file->complaints);
		load_trusts(file);
	}
}

void policy_file_clear(struct policy_file *file)
{
	size_t count = file->policy ? policy_rule_count(file->policy) : 0;

	for (size_t i = 0; file->trusts != NULL && i < count; i++)
		trust_free(&linked_libcrypto, file->trusts[i]);
	free(file->trusts);
	policy_free(file->policy);
	complaints_clear(&file->complaints);
}

bool policy_file_is_good(const struct policy_file *file)
{
	return file->policy != NULL && file->complaints.errors == 0 &&
	       !file->complaints.out_of_memory;
}
