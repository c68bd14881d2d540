/* doctor.h - the three things that `cfshim doctor` looks at. */
#ifndef CFSHIM_DOCTOR_H
#define CFSHIM_DOCTOR_H

#include "verbs.h"

#include <sys/types.h>

/* `policy` NULL: the one that holds, as `cfshim check` finds it. */
enum status doctor_program(const char *name, const char *policy);
enum status doctor_process(pid_t pid, const char *policy);
enum status doctor_all(const char *policy);

#endif
