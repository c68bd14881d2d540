/* library_copy.h - a shared library of this process, as a file that may be changed.
 */
#ifndef LIBRARY_COPY_H
#define LIBRARY_COPY_H

/* Copy the library that `function` lies in, to `path`; and its file's name. */
void library_copy(const char *path, const void *function);
const char *library_name(const void *function);

/* It no longer has `symbol`. */
void library_rename_symbol(const char *path, const char *symbol);

/* It goes when it is closed: Debian's OpenSSL stays for good, others' do not. */
void library_let_be_unloaded(const char *path);

#endif
