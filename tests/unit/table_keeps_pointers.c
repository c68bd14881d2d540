/* The table from pointers to what is known about them: nothing is lost, nothing is found that was
 * taken. */
#include "table.h"
#include "test.h"

#include <pthread.h>
#include <stdlib.h>

/* Spread as the allocator spreads objects, and never 0 or 1. */
static const void *key_of(size_t number)
{
	return (const void *)(uintptr_t)(0x7f0000000000u +
					 number * 688); /* NOLINT(performance-no-int-to-ptr) */
}

static void *value_of(size_t number)
{
	return (void *)(uintptr_t)(number + 1); /* NOLINT(performance-no-int-to-ptr) */
}

static void keeps_many(void **state)
{
	static struct table table;
	const size_t count = 100000;

	(void)state;
	for (size_t i = 0; i < count; i++)
		assert_true(table_put(&table, key_of(i), value_of(i)));
	for (size_t i = 0; i < count; i++)
		assert_ptr_equal(table_get(&table, key_of(i)), value_of(i));
	assert_null(table_get(&table, key_of(count)));
}

static void takes_out(void **state)
{
	static struct table table;

	(void)state;
	assert_null(table_take(&table, key_of(7)));
	assert_true(table_put(&table, key_of(7), value_of(7)));
	assert_ptr_equal(table_take(&table, key_of(7)), value_of(7));
	assert_null(table_get(&table, key_of(7)));
	assert_null(table_take(&table, key_of(7)));
}

/* Connections come and go for years: places are used again, so that the table stays as small as
 * what is alive. */
static void uses_places_again(void **state)
{
	static struct table table;

	(void)state;
	for (size_t i = 0; i < 3000000; i++) {
		assert_true(table_put(&table, key_of(i), value_of(i)));
		if (i >= 100)
			assert_ptr_equal(table_take(&table, key_of(i - 100)), value_of(i - 100));
	}
	assert_null(atomic_load(&table.segments[2]));
}

#define THREADS 8
static struct table shared;

static void *come_and_go(void *argument)
{
	size_t thread = *(const size_t *)argument;
	size_t wrong = 0;

	for (size_t i = 0; i < 100000; i++) {
		size_t number = i * THREADS + thread;

		wrong += !table_put(&shared, key_of(number), value_of(number));
		wrong += table_get(&shared, key_of(number)) != value_of(number);
		if (i >= 50)
			wrong += table_take(&shared, key_of(number - 50 * THREADS)) !=
				 value_of(number - 50 * THREADS);
	}
	return wrong ? value_of(wrong) : NULL;
}

static void bears_threads(void **state)
{
	pthread_t threads[THREADS];
	size_t numbers[THREADS];
	void *wrong;

	(void)state;
	for (size_t i = 0; i < THREADS; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &numbers[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a hundred thousand pointers are kept and found", keeps_many),
		TEST("what was taken out is not found again", takes_out),
		TEST("places are used again, and the table stays small", uses_places_again),
		TEST("eight threads that come and go find their own", bears_threads),
	};

	return RUN_TESTS("table", tests);
}
