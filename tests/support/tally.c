#include "tally.h"

#include "program.h"
#include "test.h"

#define PROCESSES_MOST 256

void tally_read(struct counted_all *all, pid_t program)
{
	pid_t processes[PROCESSES_MOST];
	size_t count = program_processes(program, processes, PROCESSES_MOST);

	*all = (struct counted_all){.count = 0};
	for (size_t i = 0; i < count && i < PROCESSES_MOST; i++)
		assert_true(counted_add(all, processes[i]));
}

uint64_t tally(pid_t program, enum verdict verdict, const char *reason)
{
	struct counted_all all;
	uint64_t sum;

	tally_read(&all, program);
	sum = counted_sum(&all, verdict, reason);
	counted_clear(&all);
	return sum;
}
