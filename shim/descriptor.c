#include "descriptor.h"

#include "counters.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define STREAMS_OF_CHUNK 64
#define STREAM_CHUNKS    16384

_Atomic(descriptor_slot *) descriptor_chunks[DESCRIPTOR_CHUNKS];

/* Never given back, so that who comes too late still finds a stream, if another's. */
static _Atomic(struct stream *) stream_chunks[STREAM_CHUNKS];
static _Atomic size_t next_place;

/* ---- whose table it is ---- */

/* On a page that the kernel wipes in a child with memory of its own. */
static _Atomic(_Atomic pid_t *) owner;

/* What the parent has read from is the parent's to count, whatever a child does with its copies. */
static void leave_to_parent(void)
{
	for (size_t i = 0; i < STREAM_CHUNKS; i++) {
		struct stream *streams = atomic_load(&stream_chunks[i]);

		if (streams == NULL)
			return;
		for (size_t j = 0; j < STREAMS_OF_CHUNK; j++) {
			atomic_store(&streams[j].asked, false);
			atomic_store(&streams[j].accepted_here, false);
		}
	}
}

static void own(void)
{
	_Atomic pid_t *page = atomic_load(&owner), *none = NULL;
	size_t size = (size_t)sysconf(_SC_PAGESIZE);

	if (page == NULL) {
		page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (page == MAP_FAILED)
			return;
		if (madvise(page, size, MADV_WIPEONFORK) != 0 ||
		    !atomic_compare_exchange_strong(&owner, &none, page)) {
			munmap(page, size);
			return;
		}
	}
	if (atomic_exchange(page, getpid()) == 0)
		leave_to_parent();
}

/* Not so in a child of vfork(), whose descriptors are others and whose memory is the parent's. */
bool descriptor_is_own_table(void)
{
	_Atomic pid_t *page = atomic_load(&owner);
	pid_t pid = page ? atomic_load(page) : 0;

	if (pid == 0)
		own();
	return pid == 0 || pid == getpid();
}

/* ---- slots ---- */

static descriptor_slot *slot_of(int descriptor, bool make)
{
	size_t index = (size_t)descriptor;
	descriptor_slot *chunk, *made;

	if (descriptor < 0 || index >= (size_t)DESCRIPTOR_CHUNKS * DESCRIPTOR_CHUNK)
		return NULL;
	chunk = atomic_load_explicit(&descriptor_chunks[index / DESCRIPTOR_CHUNK],
				     memory_order_acquire);
	if (chunk == NULL && make) {
		made = calloc(DESCRIPTOR_CHUNK, sizeof(descriptor_slot));
		if (made == NULL)
			return NULL;
		if (atomic_compare_exchange_strong(&descriptor_chunks[index / DESCRIPTOR_CHUNK],
						   &chunk, made))
			chunk = made;
		else
			free(made);
	}
	return chunk ? &chunk[index % DESCRIPTOR_CHUNK] : NULL;
}

struct stream *descriptor_hold(int descriptor)
{
	descriptor_slot *place = slot_of(descriptor, false);
	struct stream *stream;

	if (place == NULL)
		return NULL;
	stream = atomic_load_explicit(place, memory_order_acquire);
	while (stream != NULL) {
		struct stream *now;

		atomic_fetch_add(&stream->holders, 1);
		now = atomic_load(place);
		if (now == stream)
			break;
		descriptor_release(stream);
		stream = now;
	}
	return stream;
}

/* The lowest free place is taken next: else the table would grow with every connection. */
void descriptor_release(struct stream *stream)
{
	size_t place = stream->place;

	if (atomic_fetch_sub(&stream->holders, 1) == 1 && place < atomic_load(&next_place))
		atomic_store(&next_place, place);
}

void descriptor_count(const struct stream *stream, enum verdict verdict, enum reason reason,
		      const struct endpoint *peer)
{
	counters_count(verdict, reason,
		       &(struct counted){
			       .endpoint = &stream->endpoint,
			       .by_address = stream->by_address,
			       .peer = peer,
		       });
}

/* Is a verdict still due?  Where plain text passes, only of one that said nothing, or of a hello
 * that nobody has claimed. */
static bool awaits_verdict(const struct stream *stream, enum stream_state state)
{
	switch (state) {
	case STREAM_NEW:
	case STREAM_HELLO:
		return true;
	case STREAM_PLAIN:
		return stream->awaits_tls &&
		       (!stream->in.has_begun || atomic_load(&stream->has_random));
	case STREAM_OPEN:
		return stream->is_exempt && !stream->allows_plaintext;
	case STREAM_CLAIMED:
	case STREAM_MATCHED:
	case STREAM_DATAGRAMS:
	case STREAM_REFUSED:
	case STREAM_DONE:
		break;
	}
	return false;
}

/* The client has gone, or the host would not wait.  In the parent of a host that forks for each
 * connection, which closes its own copy and has never read from it, neither is so. */
static void end(struct stream *stream)
{
	enum stream_state state = atomic_exchange(&stream->state, STREAM_DONE);

	if (atomic_load(&stream->asked) && awaits_verdict(stream, state) &&
	    !atomic_exchange(&stream->counted, true))
		descriptor_count(stream, state == STREAM_OPEN ? VERDICT_EXEMPT : VERDICT_ABANDONED,
				 REASON_NONE, NULL);
}

/* A stream without a descriptor is over. */
static void slot_set(descriptor_slot *place, struct stream *stream)
{
	struct stream *before;

	if (stream != NULL) {
		atomic_fetch_add(&stream->holders, 1);
		atomic_fetch_add(&stream->descriptors, 1);
	}
	before = atomic_exchange(place, stream);
	if (before == NULL)
		return;
	if (atomic_fetch_sub(&before->descriptors, 1) == 1)
		end(before);
	descriptor_release(before);
}

/* ---- streams ---- */

static struct stream *chunk_make(size_t chunk)
{
	struct stream *made = calloc(STREAMS_OF_CHUNK, sizeof(*made)), *none = NULL;

	if (made == NULL || atomic_compare_exchange_strong(&stream_chunks[chunk], &none, made))
		return made;
	free(made);
	return none;
}

/* A free one, held once. */
static struct stream *stream_take(void)
{
	size_t hint = atomic_load(&next_place);

	for (size_t i = 0; i < (size_t)STREAM_CHUNKS * STREAMS_OF_CHUNK; i++) {
		size_t place = (hint + i) % ((size_t)STREAM_CHUNKS * STREAMS_OF_CHUNK);
		size_t chunk = place / STREAMS_OF_CHUNK;
		struct stream *streams = atomic_load(&stream_chunks[chunk]);
		unsigned nobody = 0;

		if (streams == NULL)
			streams = chunk_make(chunk);
		if (streams == NULL)
			return NULL;
		streams += place % STREAMS_OF_CHUNK;
		if (atomic_compare_exchange_strong(&streams->holders, &nobody, 1)) {
			atomic_store(&next_place, place + 1);
			streams->place = place;
			return streams;
		}
	}
	return NULL;
}

struct stream *descriptor_next(size_t *place)
{
	while (*place < (size_t)STREAM_CHUNKS * STREAMS_OF_CHUNK) {
		struct stream *streams = atomic_load(&stream_chunks[*place / STREAMS_OF_CHUNK]);
		unsigned holders;

		if (streams == NULL)
			return NULL;
		streams += (*place)++ % STREAMS_OF_CHUNK;
		holders = atomic_load(&streams->holders);
		while (holders > 0)
			if (atomic_compare_exchange_weak(&streams->holders, &holders, holders + 1))
				return streams;
	}
	return NULL;
}

/* ---- what becomes of a descriptor ---- */

struct stream *descriptor_track(int descriptor)
{
	descriptor_slot *place = slot_of(descriptor, true);
	struct stream *stream = place ? stream_take() : NULL;
	struct stat status;

	if (stream == NULL)
		return NULL;
	own();
	atomic_store(&stream->state, STREAM_DONE);
	atomic_store(&stream->has_random, false);
	atomic_store(&stream->descriptors, 0);
	atomic_store(&stream->descriptor, descriptor);
	atomic_store(&stream->finishes, false);
	atomic_store(&stream->answered, false);
	atomic_store(&stream->abandoned, false);
	atomic_store(&stream->counted, false);
	atomic_store(&stream->asked, false);
	atomic_store(&stream->has_spoken, false);
	atomic_store(&stream->accepted_here, true);
	atomic_store(&stream->told, false);
	atomic_store(&stream->reply, REPLY_NONE);
	stream->is_observed = false;
	atomic_store(&stream->withheld_since, 0);
	stream->inode = fstat(descriptor, &status) == 0 ? status.st_ino : 0;
	memset(&stream->in, 0, sizeof(stream->in));
	memset(&stream->records, 0, sizeof(stream->records));
	memset(&stream->flight, 0, sizeof(stream->flight));
	slot_set(place, stream);
	return stream;
}

void descriptor_forget(int descriptor)
{
	descriptor_slot *place = slot_of(descriptor, false);

	if (place != NULL && atomic_load_explicit(place, memory_order_relaxed) != NULL &&
	    descriptor_is_own_table())
		slot_set(place, NULL);
}

void descriptor_forget_range(unsigned first, unsigned last)
{
	const unsigned count = DESCRIPTOR_CHUNKS * DESCRIPTOR_CHUNK;

	for (unsigned i = first; i <= last && i < count; i++) {
		if (atomic_load(&descriptor_chunks[i / DESCRIPTOR_CHUNK]) == NULL)
			i |= DESCRIPTOR_CHUNK - 1;
		else
			descriptor_forget((int)i);
	}
}

void descriptor_join(struct stream *stream, int copy)
{
	descriptor_slot *place = slot_of(copy, true);

	/* No memory: a copy that nobody watches is none. */
	if (place == NULL) {
		atomic_store(&stream->state, STREAM_REFUSED);
		return;
	}
	slot_set(place, stream);
	atomic_store(&stream->descriptor, copy);
}

void descriptor_copied(int descriptor, int copy)
{
	struct stream *stream = descriptor_hold(descriptor);
	descriptor_slot *place = slot_of(copy, stream != NULL);

	if (place != NULL && (stream != NULL || atomic_load(place) != NULL) &&
	    descriptor_is_own_table()) {
		slot_set(place, stream);
		if (stream != NULL)
			atomic_store(&stream->descriptor, copy);
	}
	if (stream == NULL)
		return;
	/* No memory: a copy that nobody watches is none. */
	if (place == NULL)
		atomic_store(&stream->state, STREAM_REFUSED);
	descriptor_release(stream);
}

bool descriptor_is(int descriptor, const struct stream *stream)
{
	struct stat status;

	return fstat(descriptor, &status) == 0 && status.st_ino == stream->inode;
}
