/* boot.c - load: environment, policy, log, and the OpenSSL that stands inside the program.
 * Everything is read now, as bytes: the host may change its root and drop its privileges before its
 * first TLS context.
 */
#include "doors.h"
#include "endpoint.h"
#include "environment.h"
#include "guard.h"
#include "journal.h"
#include "libc.h"
#include "openssl.h"
#include "policy_in_force.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const char bad_log[] =
	"CFSHIM_LOG takes stderr, syslog, an absolute path, json: and an absolute path, or off";

__attribute__((constructor)) static void boot(void)
{
	const char *path = secure_getenv("CFSHIM_POLICY");
	const char *log = secure_getenv("CFSHIM_LOG");
	struct log_choice choice = {.target = LOG_STDERR};
	bool log_is_bad = log != NULL && !log_choice_parse(&choice, log);
	struct policy_version *version;
	int error_number = errno;

	/* Now, as between vfork() and exec there is nothing to be looked up. */
	libc_bind_all();
	environment_keep(secure_getenv("LD_PRELOAD"), path, log);
	policy_in_force_load(path, log_is_bad ? bad_log : NULL);
	version = policy_in_force_hold();
	if (log == NULL && version->policy != NULL)
		choice = policy_log(version->policy);
	journal_open(choice, secure_getenv("JOURNAL_STREAM"));
	policy_in_force_release(version);
	/* enforces inherited-sockets */
	endpoint_look_at_inherited(guard_received);
	openssl_look(false, door_register);
	errno = error_number;
}
