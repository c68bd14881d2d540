/* scratch.h - the folder of one test program, its files, its ports and its clock.
 * What cannot be made fails the test at hand: no function here returns an error.
 */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stddef.h>

/* Make the folder, and remove it with all that is in it. */
void scratch_begin(void);
void scratch_end(void);

/* The folder; its path has neither blanks nor quotes, and everybody may enter it. */
const char *scratch_dir(void);

/* A new sub-folder for `purpose`, into `path`. */
void scratch_new_dir(char *path, size_t size, const char *purpose);

/* snprintf() that fails the test where the result does not fit. */
void text_format(char *buffer, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The path of something that `make` built, from CFSHIM_BUILD: "libcfshim.so", which is that of
 * CFSHIM_LIBRARY where it is set. */
void built_path(char *path, size_t size, const char *name);

void scratch_write(const char *path, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The whole file, NUL-terminated, empty where there is none.  The caller frees it. */
char *scratch_read(const char *path);

/* A TCP port that nobody listens on, on any address.  It lies below those that the kernel gives to
 * clients. */
unsigned port_pick(void);

/* Milliseconds that only grow, and a nap between two looks. */
long long clock_ms(void);
void clock_nap(void);

#endif
