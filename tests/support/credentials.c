#include "credentials.h"

#include "odd_certificates.h"
#include "program.h"
#include "scratch.h"
#include "test.h"

#include <limits.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

/* Several paths are in use at the same time: in one call of scratch_write(), or in a row of a
 * table.
 */
#define PATHS 16

static const struct odd_certificate *odds;
static size_t odd_count;

void odd_certificates_use(const struct odd_certificate *table, size_t count)
{
	odds = table;
	odd_count = count;
}

static const char *path_of(const char *name, const char *ending)
{
	static char folder[PATH_MAX];
	static char paths[PATHS][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % PATHS];

	if (folder[0] == '\0') {
		struct result result;
		char command[PATH_MAX];

		text_format(folder, sizeof(folder), "%s/certificates", scratch_dir());
		built_path(command, sizeof(command), "cfshim");
		program_run(&result, &(struct program){.words = {command, "test-ca", folder}});
		if (result.status != 0)
			fail_msg("cfshim test-ca ended with %d: %s", result.status, result.errors);
		result_clear(&result);
		odd_certificates_make(odds, odd_count, folder);
	}
	text_format(path, PATH_MAX, "%s/%s.%s", folder, name, ending);
	return path;
}

const char *certificate_file(const char *name)
{
	return path_of(name, "pem");
}

const char *certificate_key(const char *name)
{
	return path_of(name, "key");
}

void certificate_subject(const char *name, char *subject, size_t size)
{
	FILE *file = fopen(certificate_file(name), "re");
	X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	BIO *text = BIO_new(BIO_s_mem());
	int length;

	if (certificate == NULL || text == NULL)
		fail_msg("cannot read the certificate %s", name);
	fclose(file);
	X509_NAME_print_ex(text, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
	length = BIO_read(text, subject, (int)size - 1);
	subject[length > 0 ? length : 0] = '\0';
	BIO_free(text);
	X509_free(certificate);
}
