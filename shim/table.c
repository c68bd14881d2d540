#include "table.h"

#include <stddef.h>
#include <stdlib.h>

/* Open addressing over a short window of slots; where all of a window are taken, the key goes to
 * the next, four times larger segment.  A slot that was used never becomes empty again, only free,
 * so an empty one ends every search. */
#define FIRST_SEGMENT_SLOTS 512u
#define WINDOW              16u

enum { KEY_EMPTY = 0, KEY_FREE = 1 };

static size_t segment_slots(unsigned segment)
{
	return (size_t)FIRST_SEGMENT_SLOTS << (2 * segment);
}

/* Pointers differ in their middle bits; a multiplication (2^64 / golden ratio) brings these to the
 * top. */
static size_t window_start(uintptr_t key, unsigned segment)
{
	uint64_t mixed = (uint64_t)(key >> 4) * 0x9e3779b97f4a7c15u;

	return (size_t)(mixed >> 32) & (segment_slots(segment) - 1);
}

static struct slot *slot_in_window(struct slot *slots, size_t start, unsigned step,
				   unsigned segment)
{
	return &slots[(start + step) & (segment_slots(segment) - 1)];
}

static struct slot *table_find(struct table *table, uintptr_t key)
{
	for (unsigned segment = 0; segment < TABLE_SEGMENTS; segment++) {
		struct slot *slots =
			atomic_load_explicit(&table->segments[segment], memory_order_acquire);
		size_t start = window_start(key, segment);

		if (slots == NULL)
			return NULL;
		for (unsigned step = 0; step < WINDOW; step++) {
			struct slot *slot = slot_in_window(slots, start, step, segment);
			uintptr_t found = atomic_load_explicit(&slot->key, memory_order_acquire);

			if (found == key)
				return slot;
			if (found == KEY_EMPTY)
				return NULL;
		}
	}
	return NULL;
}

/* On the way of every read and write by OpenSSL: mostly it is the first place that is looked at. */
void *table_get(struct table *table, const void *key)
{
	struct slot *slot = atomic_load_explicit(&table->segments[0], memory_order_acquire);

	if (slot != NULL)
		slot += window_start((uintptr_t)key, 0);
	if (slot == NULL ||
	    atomic_load_explicit(&slot->key, memory_order_acquire) != (uintptr_t)key)
		slot = table_find(table, (uintptr_t)key);
	return slot ? atomic_load_explicit(&slot->value, memory_order_acquire) : NULL;
}

/* The segment's slots, allocated by whoever comes first. */
static struct slot *segment_make(struct table *table, unsigned segment)
{
	struct slot *slots = atomic_load_explicit(&table->segments[segment], memory_order_acquire);
	struct slot *made;

	if (slots != NULL)
		return slots;
	made = calloc(segment_slots(segment), sizeof(*made));
	if (made == NULL)
		return NULL;
	if (atomic_compare_exchange_strong(&table->segments[segment], &slots, made))
		return made;
	free(made);
	return slots;
}

static bool slot_claim(struct slot *slot, uintptr_t key)
{
	uintptr_t found = atomic_load_explicit(&slot->key, memory_order_relaxed);

	while (found == KEY_EMPTY || found == KEY_FREE)
		if (atomic_compare_exchange_weak(&slot->key, &found, key))
			return true;
	return false;
}

bool table_put(struct table *table, const void *key, void *value)
{
	for (unsigned segment = 0; segment < TABLE_SEGMENTS; segment++) {
		struct slot *slots = segment_make(table, segment);
		size_t start = window_start((uintptr_t)key, segment);

		if (slots == NULL)
			return false;
		for (unsigned step = 0; step < WINDOW; step++) {
			struct slot *slot = slot_in_window(slots, start, step, segment);

			if (slot_claim(slot, (uintptr_t)key)) {
				atomic_store_explicit(&slot->value, value, memory_order_release);
				return true;
			}
		}
	}
	return false;
}

void *table_take(struct table *table, const void *key)
{
	struct slot *slot = table_find(table, (uintptr_t)key);
	void *value;

	if (slot == NULL)
		return NULL;
	value = atomic_exchange_explicit(&slot->value, NULL, memory_order_acq_rel);
	atomic_store_explicit(&slot->key, KEY_FREE, memory_order_release);
	return value;
}
