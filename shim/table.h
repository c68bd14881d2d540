/* table.h - from a pointer to what the shim knows about it, without a lock.
 *
 * OpenSSL's ex_data cannot hold it: after OSSL_LIB_CTX_set0_default the same index is somebody
 * else's.  A lock could not either: the host may fork while another thread holds it, and musl and
 * glibc share no way to be told of a fork. Keys are never 0 or 1.  Lookups may run beside anything.
 * One key is inserted and removed by one thread at a time, as OpenSSL demands for the objects that
 * the keys are (an SSL is used by one thread at a time; an SSL_CTX is made before it is shared and
 * freed after).  Fork: the child's copy is as good as the parent's.
 */
#ifndef CFSHIM_TABLE_H
#define CFSHIM_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define TABLE_SEGMENTS 12

struct slot {
	_Atomic uintptr_t key;
	_Atomic(void *) value;
};

/* All zero is an empty table. */
struct table {
	_Atomic(struct slot *) segments[TABLE_SEGMENTS];
};

/* NULL where the key is not there. */
void *table_get(struct table *table, const void *key);

/* False: no memory.  The key must not be there already. */
bool table_put(struct table *table, const void *key, void *value);

/* The value that was there, or NULL. */
void *table_take(struct table *table, const void *key);

#endif
