/* libc_names.h - prototypes of libc functions that the headers at hand lack, or do not name; types
 * only. */
#ifndef CFSHIM_LIBC_NAMES_H
#define CFSHIM_LIBC_NAMES_H

#include <aio.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* glibc takes addresses as a union of all their types. */
#ifdef __GLIBC__
typedef __SOCKADDR_ARG address_argument;
typedef __CONST_SOCKADDR_ARG const_address_argument;
#define ADDRESS_OF(argument) ((argument).__sockaddr__)
#else
typedef struct sockaddr *address_argument;
typedef const struct sockaddr *const_address_argument;
#define ADDRESS_OF(argument) (argument)
#endif

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-redundant-declaration)
 */
ssize_t __read(int descriptor, void *bytes, size_t size);
ssize_t __read_chk(int descriptor, void *bytes, size_t size, size_t room);
ssize_t __recv_chk(int descriptor, void *bytes, size_t size, size_t room, int flags);
ssize_t __recvfrom_chk(int descriptor, void *bytes, size_t size, size_t room, int flags,
		       address_argument address, socklen_t *length);
ssize_t __write(int descriptor, const void *bytes, size_t size);
ssize_t __send(int descriptor, const void *bytes, size_t size, int flags);
int __close(int descriptor);
int __dup2(int descriptor, int copy);
int __fcntl(int descriptor, int command, ...);
FILE *_IO_fdopen(int descriptor, const char *mode);
int __dprintf_chk(int descriptor, int flag, const char *format, ...);
int __vdprintf_chk(int descriptor, int flag, const char *format, va_list arguments);

/* Since glibc 2.34. */
int close_range(unsigned first, unsigned last, int flags);
void closefrom(int first);
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-redundant-declaration)
 */

#ifdef __GLIBC_PREREQ
#define HAS_GLIBC(minor) __GLIBC_PREREQ(2, minor)
#else
#define HAS_GLIBC(minor) 0
#endif

#if !HAS_GLIBC(34)
int execveat(int folder, const char *path, char *const arguments[], char *const environment[],
	     int flags);
#endif

#if !HAS_GLIBC(39)
int pidfd_spawn(int *pidfd, const char *path, const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attributes, char *const arguments[],
		char *const environment[]);
int pidfd_spawnp(int *pidfd, const char *file, const posix_spawn_file_actions_t *actions,
		 const posix_spawnattr_t *attributes, char *const arguments[],
		 char *const environment[]);
#endif

#endif
