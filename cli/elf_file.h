/* elf_file.h - what stands in an ELF file: its loader, the libraries it names, the functions that
 * it defines and those that it lacks.  Read as the loader reads it, by its segments; a stripped
 * file has them too.  Total: of any bytes it says something or nothing, and reads none outside.
 */
#ifndef CFSHIM_ELF_FILE_H
#define CFSHIM_ELF_FILE_H

#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>

struct elf_file {
	int file;
	ElfW(Ehdr) header;
	char interpreter[PATH_MAX]; /* the loader; "" where it names none */
	ElfW(Phdr) * segments;      /* PT_LOAD ... as in the file */
	size_t segment_count;
	ElfW(Dyn) * dynamic; /* up to DT_NULL */
	size_t dynamic_count;
	char *strings; /* strings_size bytes, and a NUL behind them */
	size_t strings_size;
	ElfW(Sym) * symbols;
	size_t symbol_count;
};

enum elf_kind {
	ELF_NONE,  /* no ELF file */
	ELF_OTHER, /* for another word size or byte order: nothing but the header counts */
	ELF_READ,
};

/* The file is open on `file`, which stays the caller's, and open as long as `elf` is used.
 * elf_file_end() in each case. */
enum elf_kind elf_file_begin(struct elf_file *elf, int file);
void elf_file_end(struct elf_file *elf);

/* A dynamic section: without one no loader has anything to do. */
bool elf_is_dynamic(const struct elf_file *elf);

/* Of the dynamic entries with `tag` (DT_NEEDED, DT_RUNPATH...) the one with `index`; NULL: no such.
 */
const char *elf_string(const struct elf_file *elf, ElfW(Sxword) tag, size_t index);

/* Does it define and export the function `symbol`; does it name it, for others to define? */
bool elf_defines(const struct elf_file *elf, const char *symbol);
bool elf_wants(const struct elf_file *elf, const char *symbol);

/* Which of `count` texts occur in the file, as bits. */
unsigned file_texts(int file, const char *const *texts, size_t count);

#endif
