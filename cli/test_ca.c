/* test_ca.c - `cfshim test-ca DIRECTORY`: a CA, what the edge holds, and what strangers may try. */
#include "certificates.h"
#include "columns.h"
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOUR  (60L * 60)
#define DAY   (24 * HOUR)
#define MONTH (30 * DAY)

static const struct extension of_intermediate[EXTENSIONS_MAX] = {
	{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
	{NID_key_usage, "critical,keyCertSign,cRLSign"},
	{NID_subject_key_identifier, "hash"},
	{NID_authority_key_identifier, "keyid:always"},
};
static const struct extension of_client[EXTENSIONS_MAX] = {
	{NID_basic_constraints, "critical,CA:FALSE"},
	{NID_key_usage, "critical,digitalSignature"},
	{NID_ext_key_usage, "clientAuth"},
	{NID_authority_key_identifier, "keyid:always"},
};
/* All that Cloudflare's own recipe for zone certificates puts in. */
static const struct extension of_recipe[EXTENSIONS_MAX] = {
	{NID_basic_constraints, "CA:FALSE"},
};
static const struct extension of_wrong_purpose[EXTENSIONS_MAX] = {
	{NID_basic_constraints, "critical,CA:FALSE"},
	{NID_key_usage, "critical,digitalSignature"},
	{NID_ext_key_usage, "serverAuth"},
	{NID_authority_key_identifier, "keyid:always"},
};
static const struct extension of_server[EXTENSIONS_MAX] = {
	{NID_basic_constraints, "critical,CA:FALSE"},
	{NID_key_usage, "critical,digitalSignature"},
	{NID_ext_key_usage, "serverAuth"},
	{NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1"},
	{NID_authority_key_identifier, "keyid:always"},
};

/* An issuer stands before what it signs.  What has no meaning of its own gets no file; a key that
 * is shared, only one. */
static const struct certificate_plan plans[] = {
	{"ca", "cfshim test CA", NULL, NULL, -HOUR, MONTH, extensions_of_ca, NULL,
	 "the CA to name in the policy"},
	{"edge", "edge.test", "ca", NULL, -HOUR, MONTH, of_client, NULL,
	 "admitted: what the edge holds"},
	{"edge-no-eku", "edge.test", "ca", NULL, -HOUR, MONTH, of_recipe, NULL,
	 "admitted: made as Cloudflare's documentation says, names no purpose"},
	{"intermediate", "cfshim test intermediate CA", "ca", NULL, -HOUR, MONTH, of_intermediate,
	 NULL, NULL},
	{"edge-chain", "edge.test", "intermediate", NULL, -HOUR, MONTH, of_client, "intermediate",
	 "admitted: of an intermediate CA, which is sent along"},
	{"self-signed", "edge.test", NULL, NULL, -HOUR, MONTH, extensions_of_client, NULL,
	 "untrusted-issuer: signed by itself"},
	{"other-ca", "cfshim other CA", NULL, NULL, -HOUR, MONTH, extensions_of_ca, NULL,
	 "a CA that the policy does not name"},
	{"other", "edge.test", "other-ca", NULL, -HOUR, MONTH, of_client, NULL,
	 "untrusted-issuer: of other-ca, with edge's name"},
	{"impostor-ca", "cfshim test CA", NULL, NULL, -HOUR, MONTH, extensions_of_ca, NULL, NULL},
	{"impostor", "edge.test", "impostor-ca", NULL, -HOUR, MONTH, extensions_of_client, NULL,
	 "untrusted-issuer: of a CA with ca's name and another key"},
	{"expired", "edge.test", "ca", NULL, -MONTH, -DAY, of_client, NULL, "expired: yesterday"},
	{"not-yet-valid", "edge.test", "ca", NULL, DAY, MONTH, of_client, NULL,
	 "not-yet-valid: before tomorrow"},
	{"wrong-purpose", "edge.test", "ca", NULL, -HOUR, MONTH, of_wrong_purpose, NULL,
	 "wrong-purpose: for servers only"},
	{"expired-ca", "cfshim test CA", NULL, "ca", -MONTH, -DAY, extensions_of_ca, NULL,
	 "ca as it was, expired yesterday: an error in a policy that names it alone"},
	{"server-ca", "cfshim test server CA", NULL, NULL, -HOUR, MONTH, extensions_of_ca, NULL,
	 "the CA that clients of the server trust"},
	{"server", "localhost", "server-ca", NULL, -HOUR, MONTH, of_server, "server-ca",
	 "the server's: localhost, 127.0.0.1, ::1"},
};
#define PLAN_COUNT (sizeof(plans) / sizeof(plans[0]))

enum file_kind { FILE_CERTIFICATE, FILE_KEY, FILE_KINDS };
static const struct {
	const char *suffix;
	mode_t mode;
} file_kinds[FILE_KINDS] = {
	[FILE_CERTIFICATE] = {".pem", 0644},
	[FILE_KEY] = {".key", 0600},
};

/* The name of a plan's file of this kind; false where it has none. */
static bool name_file(char *name, size_t size, const struct certificate_plan *plan,
		      enum file_kind kind)
{
	snprintf(name, size, "%s%s", plan->name, file_kinds[kind].suffix);
	return plan->meaning != NULL && (kind == FILE_CERTIFICATE || plan->key_of == NULL);
}

static enum status refuse_file(const char *path, const char *name, const char *why)
{
	return refuse(STATUS_BAD, "test-ca", "%s/%s: %s", path, name, why);
}

/* Before anything is written: never over somebody's key, and never half of a set. */
static enum status find_obstacles(int directory, const char *path)
{
	char name[64];
	struct stat found;

	for (size_t i = 0; i < PLAN_COUNT; i++)
		for (enum file_kind kind = 0; kind < FILE_KINDS; kind++)
			if (name_file(name, sizeof(name), &plans[i], kind) &&
			    fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW) == 0)
				return refuse_file(path, name,
						   "is there already; nothing was written");
	return STATUS_GOOD;
}

static bool print_pem(FILE *file, const struct certificate_plan *plan, enum file_kind kind,
		      struct certificate *made)
{
	const struct certificate *own = certificate_named(plans, PLAN_COUNT, made, plan->name);
	const struct certificate *chain = certificate_named(plans, PLAN_COUNT, made, plan->chain);

	if (kind == FILE_KEY)
		return PEM_write_PKCS8PrivateKey(file, own->key, NULL, NULL, 0, NULL, NULL) == 1;
	return PEM_write_X509(file, own->x509) == 1 &&
	       (chain == NULL || PEM_write_X509(file, chain->x509) == 1);
}

/* False, with errno, where the file is there already, or cannot be written. */
static bool write_file(int directory, const char *name, const struct certificate_plan *plan,
		       enum file_kind kind, struct certificate *made)
{
	int descriptor = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
				file_kinds[kind].mode);
	FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
	bool good;

	if (file == NULL)
		return false;
	good = print_pem(file, plan, kind, made);
	return fclose(file) == 0 && good;
}

static enum status write_files(int directory, const char *path, struct certificate *made)
{
	char name[64];

	for (size_t i = 0; i < PLAN_COUNT; i++)
		for (enum file_kind kind = 0; kind < FILE_KINDS; kind++)
			if (name_file(name, sizeof(name), &plans[i], kind) &&
			    !write_file(directory, name, &plans[i], kind, made))
				return refuse_file(path, name, strerror(errno));
	return STATUS_GOOD;
}

static void print_files(const char *path)
{
	static const char *const headings[] = {"FILE", "WHAT IT IS FOR"};
	struct columns *columns = columns_begin(headings, 2);
	char name[64];

	for (size_t i = 0; i < PLAN_COUNT; i++)
		if (name_file(name, sizeof(name), &plans[i], FILE_CERTIFICATE))
			columns_add(columns, (const char *const[]){name, plans[i].meaning});
	printf("In %s,\nvalid for 30 days, each with its .key (expired-ca has ca's):\n\n", path);
	columns_print(columns, stdout);
	columns_end(columns);
}

static void print_usage_of_files(const char *path)
{
	const char *quote = strpbrk(path, " \t,#;'&()$*?<>|") ? "\"" : "";

	printf("\nA policy that lets edge in, and none of the others:\n\n"
	       "[port 8443]\n"
	       "verify = require\n"
	       "ca     = %s%s/ca.pem%s\n"
	       "\nWith that in try.conf, a server, and a client with and without a certificate:\n\n"
	       "cd %s%s%s\n"
	       "cfshim run --policy try.conf -- \\\n"
	       "    openssl s_server -accept 8443 -www -cert server.pem -key server.key &\n"
	       "curl --cacert server-ca.pem --cert edge.pem --key edge.key \\\n"
	       "    https://localhost:8443/\n"
	       "curl --cacert server-ca.pem https://localhost:8443/\n",
	       quote, path, quote, quote, path, quote);
}

static enum status make_files(int directory, const char *path)
{
	struct certificate made[PLAN_COUNT];
	enum status status = find_obstacles(directory, path);

	if (status != STATUS_GOOD)
		return status;
	if (!certificates_make(plans, PLAN_COUNT, made))
		return refuse(STATUS_BAD, "test-ca", "OpenSSL cannot make the certificates: %s",
			      ERR_reason_error_string(ERR_peek_last_error()));
	status = write_files(directory, path, made);
	certificates_free(made, PLAN_COUNT);
	return status;
}

enum status test_ca_verb(int argc, char **argv)
{
	enum status status = STATUS_BAD;
	char *path = NULL;
	int directory;

	if (argc == 2 && argv[1][0] == '-')
		return refuse_usage("test-ca", "there is no option %s", argv[1]);
	if (argc != 2)
		return refuse_usage("test-ca", "one directory is needed, not %d", argc - 1);
	if (mkdir(argv[1], 0700) != 0 && errno != EEXIST)
		return refuse(STATUS_BAD, "test-ca", "%s: %s", argv[1], strerror(errno));
	directory = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory >= 0)
		path = realpath(argv[1], NULL);
	if (path != NULL)
		status = make_files(directory, path);
	else
		refuse(STATUS_BAD, "test-ca", "%s: %s", argv[1], strerror(errno));
	if (status == STATUS_GOOD) {
		print_files(path);
		print_usage_of_files(path);
	}
	if (directory >= 0)
		close(directory);
	free(path);
	return status;
}
