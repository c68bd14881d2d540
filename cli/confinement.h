/* confinement.h - what else may keep a program from the library or the policy: AppArmor, SELinux,
 * fapolicyd.  Told by what stands in /etc, /sys and extended attributes; what cannot be told so is
 * said.
 */
#ifndef CFSHIM_CONFINEMENT_H
#define CFSHIM_CONFINEMENT_H

#include "findings.h"

struct confined {
	const char *program;          /* its path; NULL: of a process that is not known */
	const char *label;            /* /proc/PID/attr/current of a process; NULL: of a program */
	const char *library, *policy; /* policy NULL: built in */
};

void find_confinement(struct findings *findings, const struct confined *confined);

/* The part about AppArmor. */
void find_apparmor(struct findings *findings, const struct confined *confined);

#endif
