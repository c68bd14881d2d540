#include "elf_file.h"

#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Larger tables than these no real program has: not to be read into memory for a broken one. */
#define SEGMENTS_MOST    256
#define DYNAMIC_MOST     4096
#define TABLE_BYTES_MOST (512u << 20)

/* Allocated, with a NUL behind it; NULL where the file has not all of it. */
static void *read_part(int file, uint64_t at, uint64_t size)
{
	char *part;
	size_t done = 0;

	if (size == 0 || size > TABLE_BYTES_MOST || at > INT64_MAX - size)
		return NULL;
	part = malloc(size + 1);
	while (part != NULL && done < size) {
		const ssize_t got = pread(file, part + done, size - done, (off_t)(at + done));

		if (got <= 0) {
			free(part);
			return NULL;
		}
		done += (size_t)got;
	}
	if (part != NULL)
		part[size] = '\0';
	return part;
}

/* Where in the file the address is, and how many bytes follow it there; 0: nowhere. */
static uint64_t bytes_at(const struct elf_file *elf, uint64_t address, uint64_t *offset)
{
	for (size_t i = 0; i < elf->segment_count; i++) {
		const ElfW(Phdr) *segment = &elf->segments[i];
		const uint64_t inside = address - segment->p_vaddr;

		if (segment->p_type == PT_LOAD && address >= segment->p_vaddr &&
		    inside < segment->p_filesz) {
			*offset = segment->p_offset + inside;
			return segment->p_filesz - inside;
		}
	}
	return 0;
}

static const ElfW(Phdr) * find_segment(const struct elf_file *elf, uint32_t type)
{
	for (size_t i = 0; i < elf->segment_count; i++)
		if (elf->segments[i].p_type == type)
			return &elf->segments[i];
	return NULL;
}

/* The value of the first dynamic entry with this tag; 0: there is none. */
static uint64_t dynamic_value(const struct elf_file *elf, ElfW(Sxword) tag)
{
	for (size_t i = 0; i < elf->dynamic_count; i++)
		if (elf->dynamic[i].d_tag == tag)
			return elf->dynamic[i].d_un.d_val;
	return 0;
}

static void read_interpreter(struct elf_file *elf)
{
	const ElfW(Phdr) *segment = find_segment(elf, PT_INTERP);
	char *text;

	if (segment == NULL || segment->p_filesz >= sizeof(elf->interpreter))
		return;
	text = read_part(elf->file, segment->p_offset, segment->p_filesz);
	if (text != NULL)
		memcpy(elf->interpreter, text, strlen(text) + 1);
	free(text);
}

static void read_dynamic(struct elf_file *elf)
{
	const ElfW(Phdr) *segment = find_segment(elf, PT_DYNAMIC);
	const size_t most = segment ? segment->p_filesz / sizeof(ElfW(Dyn)) : 0;

	if (most == 0 || most > DYNAMIC_MOST)
		return;
	elf->dynamic = read_part(elf->file, segment->p_offset, most * sizeof(ElfW(Dyn)));
	while (elf->dynamic != NULL && elf->dynamic_count < most &&
	       elf->dynamic[elf->dynamic_count].d_tag != DT_NULL)
		elf->dynamic_count++;
}

static void read_strings(struct elf_file *elf)
{
	const uint64_t size = dynamic_value(elf, DT_STRSZ);
	uint64_t at = 0;

	if (size > bytes_at(elf, dynamic_value(elf, DT_STRTAB), &at))
		return;
	elf->strings = read_part(elf->file, at, size);
	elf->strings_size = elf->strings ? size : 0;
}

/* DT_HASH has the number of symbols; DT_GNU_HASH but the chains of those that are defined, and the
 * last of the last chain is the last symbol. */
static uint64_t count_by_gnu_hash(const struct elf_file *elf)
{
	uint64_t at, length = bytes_at(elf, dynamic_value(elf, DT_GNU_HASH), &at);
	uint32_t *words = length > 16 ? read_part(elf->file, at, length & ~(uint64_t)3) : NULL;
	uint64_t count = 0, most = length / 4, buckets, chains;

	if (words == NULL)
		return 0;
	buckets = 4 + (uint64_t)words[2] * (sizeof(ElfW(Addr)) / 4);
	chains = buckets + words[0];
	for (uint64_t i = buckets; i < chains && i < most; i++)
		count = words[i] > count ? words[i] : count;
	if (count < words[1])
		count = words[1]; /* none is defined */
	else
		for (; chains + (count - words[1]) < most;)
			if (words[chains + (count++ - words[1])] & 1)
				break;
	free(words);
	return count;
}

static uint64_t count_symbols(const struct elf_file *elf)
{
	uint64_t at, count = 0;
	uint32_t *words = NULL;

	if (bytes_at(elf, dynamic_value(elf, DT_HASH), &at) >= 8)
		words = read_part(elf->file, at, 8);
	if (words != NULL)
		count = words[1];
	free(words);
	return count > 0 ? count : count_by_gnu_hash(elf);
}

static void read_symbols(struct elf_file *elf)
{
	uint64_t at = 0, length = bytes_at(elf, dynamic_value(elf, DT_SYMTAB), &at);
	uint64_t count = length > 0 ? count_symbols(elf) : 0;

	if (count > length / sizeof(ElfW(Sym)))
		count = length / sizeof(ElfW(Sym));
	elf->symbols = read_part(elf->file, at, count * sizeof(ElfW(Sym)));
	elf->symbol_count = elf->symbols ? count : 0;
}

enum elf_kind elf_file_begin(struct elf_file *elf, int file)
{
	static const unsigned char class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
	const unsigned char order = __BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB;
	ElfW(Ehdr) *header = &elf->header;

	memset(elf, 0, sizeof(*elf));
	elf->file = file;
	if (pread(file, header, sizeof(*header), 0) < (ssize_t)sizeof(Elf32_Ehdr) ||
	    memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return ELF_NONE;
	if (header->e_ident[EI_CLASS] != class || header->e_ident[EI_DATA] != order)
		return ELF_OTHER;
	if (header->e_phentsize == sizeof(ElfW(Phdr)) && header->e_phnum <= SEGMENTS_MOST)
		elf->segments = read_part(file, header->e_phoff,
					  (uint64_t)header->e_phnum * sizeof(ElfW(Phdr)));
	elf->segment_count = elf->segments ? header->e_phnum : 0;
	read_interpreter(elf);
	read_dynamic(elf);
	read_strings(elf);
	if (elf->strings != NULL)
		read_symbols(elf);
	return ELF_READ;
}

void elf_file_end(struct elf_file *elf)
{
	free(elf->segments);
	free(elf->dynamic);
	free(elf->strings);
	free(elf->symbols);
}

bool elf_is_dynamic(const struct elf_file *elf)
{
	return elf->dynamic_count > 0;
}

static const char *string_at(const struct elf_file *elf, uint64_t at)
{
	return at < elf->strings_size ? elf->strings + at : "";
}

const char *elf_string(const struct elf_file *elf, ElfW(Sxword) tag, size_t index)
{
	for (size_t i = 0; i < elf->dynamic_count; i++)
		if (elf->dynamic[i].d_tag == tag && index-- == 0)
			return string_at(elf, elf->dynamic[i].d_un.d_val);
	return NULL;
}

static bool has_symbol(const struct elf_file *elf, const char *symbol, bool defined)
{
	for (size_t i = 0; i < elf->symbol_count; i++)
		if ((elf->symbols[i].st_shndx != SHN_UNDEF) == defined &&
		    strcmp(string_at(elf, elf->symbols[i].st_name), symbol) == 0)
			return true;
	return false;
}

bool elf_defines(const struct elf_file *elf, const char *symbol)
{
	return has_symbol(elf, symbol, true);
}

bool elf_wants(const struct elf_file *elf, const char *symbol)
{
	return has_symbol(elf, symbol, false);
}

/* ---- texts ---- */

#define CHUNK_BYTES (1u << 20)
#define TEXT_BYTES  64u /* the longest that can be looked for */

unsigned file_texts(int file, const char *const *texts, size_t count)
{
	char *chunk = malloc(TEXT_BYTES + CHUNK_BYTES);
	unsigned found = 0;
	size_t kept = 0;
	off_t at = 0;
	ssize_t got;

	while (chunk != NULL && (got = pread(file, chunk + kept, CHUNK_BYTES, at)) > 0) {
		const size_t length = kept + (size_t)got;

		for (size_t i = 0; i < count; i++)
			if (!(found & 1u << i) &&
			    memmem(chunk, length, texts[i], strlen(texts[i])) != NULL)
				found |= 1u << i;
		kept = length < TEXT_BYTES ? length : TEXT_BYTES;
		memmove(chunk, chunk + length - kept, kept);
		at += got;
	}
	free(chunk);
	return found;
}
