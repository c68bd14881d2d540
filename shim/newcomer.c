#include "newcomer.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#define PLACES 4096
/* So many places are looked at for one certificate; where all are taken, one of them gives way. */
#define TRIED 8

struct memory {
	_Atomic uint64_t seen[2][PLACES]; /* would be refused, would be admitted; 0: free */
};

static _Atomic(struct memory *) shared;

static struct memory *memory_now(void)
{
	struct memory *memory = atomic_load(&shared), *made;

	if (memory != NULL)
		return memory;
	made = mmap(NULL, sizeof(*made), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (made == MAP_FAILED)
		return NULL;
	if (atomic_compare_exchange_strong(&shared, &memory, made))
		return made;
	munmap(made, sizeof(*made));
	return memory;
}

void newcomer_share(void)
{
	(void)memory_now();
}

/* Where it was put; NULL: it was there already. */
static _Atomic uint64_t *put(_Atomic uint64_t *seen, uint64_t number)
{
	_Atomic uint64_t *place, *free_place = NULL;
	uint64_t none = 0;

	for (uint64_t i = 0; i < TRIED; i++) {
		place = &seen[(number + i) % PLACES];
		if (atomic_load(place) == number)
			return NULL;
		if (atomic_load(place) == 0 && free_place == NULL)
			free_place = place;
	}
	if (free_place != NULL && atomic_compare_exchange_strong(free_place, &none, number))
		return free_place;
	/* Full; or another thread was quicker, perhaps with the very same. */
	if (free_place != NULL && none == number)
		return NULL;
	place = &seen[(number + (number >> 32) % TRIED) % PLACES];
	atomic_store(place, number);
	return place;
}

static uint64_t number_of(const unsigned char *digest)
{
	uint64_t number;

	memcpy(&number, digest, sizeof(number));
	return number != 0 ? number : 1;
}

static void tell(const struct libcrypto *libcrypto, X509 *leaf, int sent, const struct refusal *who)
{
	struct certificate_text text;

	certificate_describe(libcrypto, leaf, &text);
	journal_new_certificate(who, &(struct certificate_words){
					     .subject = text.subject,
					     .issuer = text.issuer,
					     .serial = text.serial,
					     .sha256 = text.sha256,
					     .not_after = text.not_after,
					     .extended_key_usage = text.usage,
					     .sent = (unsigned long)sent,
				     });
}

void newcomer_look_at(const struct libcrypto *libcrypto, X509 *leaf, int sent,
		      const struct refusal *who)
{
	bool admitted = who->reason == REASON_NONE;
	struct memory *memory = memory_now();
	unsigned char digest[TRUST_DIGEST_BYTES];
	_Atomic uint64_t *place;
	uint64_t number;

	if (memory == NULL || !certificate_digest(libcrypto, leaf, digest))
		return;
	number = number_of(digest);
	place = put(memory->seen[admitted], number);
	if (place == NULL)
		return;
	if (journal_may_tell_of_certificate(admitted))
		tell(libcrypto, leaf, sent, who);
	else /* another time, then */
		atomic_compare_exchange_strong(place, &number, 0);
}
