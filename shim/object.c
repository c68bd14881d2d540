#include "object.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The tables of one object, as addresses. */
struct object_tables {
	const ElfW(Sym) * symbols;
	const char *strings;
	const uint32_t *gnu_hash;
	const uint32_t *sysv_hash;
};

/* glibc rewrites the section's addresses to absolute ones, except in the vDSO; musl leaves them
 * relative. */
static const void *absolute(const struct dl_phdr_info *object, ElfW(Addr) address)
{
	return (const void *)(address < object->dlpi_addr ? object->dlpi_addr + address : address);
}

static const ElfW(Dyn) * dynamic_section(const struct dl_phdr_info *object)
{
	for (size_t i = 0; i < object->dlpi_phnum; i++)
		if (object->dlpi_phdr[i].p_type == PT_DYNAMIC)
			return (const ElfW(Dyn) *)(object->dlpi_addr +
						   object->dlpi_phdr[i].p_vaddr);
	return NULL;
}

static bool tables_of(const struct dl_phdr_info *object, struct object_tables *tables)
{
	const ElfW(Dyn) *entry = dynamic_section(object);

	memset(tables, 0, sizeof(*tables));
	for (; entry != NULL && entry->d_tag != DT_NULL; entry++) {
		const void *table = absolute(object, entry->d_un.d_ptr);

		if (entry->d_tag == DT_SYMTAB)
			tables->symbols = table;
		else if (entry->d_tag == DT_STRTAB)
			tables->strings = table;
		else if (entry->d_tag == DT_GNU_HASH)
			tables->gnu_hash = table;
		else if (entry->d_tag == DT_HASH)
			tables->sysv_hash = table;
	}
	return tables->symbols != NULL && tables->strings != NULL;
}

static bool is_definition_of(const struct object_tables *tables, uint32_t index, const char *symbol)
{
	const ElfW(Sym) *candidate = &tables->symbols[index];

	return candidate->st_shndx != SHN_UNDEF &&
	       strcmp(tables->strings + candidate->st_name, symbol) == 0;
}

/* A chain holds the hashes of its symbols, the lowest bit of the last one set.  Only defined
 * symbols are in this table. */
static bool gnu_hash_defines(const struct object_tables *tables, const char *symbol)
{
	const uint32_t bucket_count = tables->gnu_hash[0], first = tables->gnu_hash[1];
	const uint32_t bloom_words = tables->gnu_hash[2];
	const ElfW(Addr) *bloom = (const void *)(tables->gnu_hash + 4);
	const uint32_t *buckets = (const void *)(bloom + bloom_words);
	const uint32_t *chain = buckets + bucket_count;
	uint32_t hash = 5381, index;

	for (const char *c = symbol; *c != '\0'; c++)
		hash = hash * 33 + (unsigned char)*c;
	index = bucket_count ? buckets[hash % bucket_count] : 0;
	if (index < first)
		return false;
	for (;; index++) {
		uint32_t found = chain[index - first];

		if ((found | 1) == (hash | 1) && is_definition_of(tables, index, symbol))
			return true;
		if (found & 1)
			return false;
	}
}

static bool sysv_hash_defines(const struct object_tables *tables, const char *symbol)
{
	const uint32_t bucket_count = tables->sysv_hash[0];
	const uint32_t *buckets = tables->sysv_hash + 2;
	const uint32_t *chain = buckets + bucket_count;
	uint32_t hash = 0;

	for (const char *c = symbol; *c != '\0'; c++) {
		uint32_t high;

		hash = (hash << 4) + (unsigned char)*c;
		high = hash & 0xf0000000u;
		hash ^= high >> 24;
		hash &= ~high;
	}
	for (uint32_t index = bucket_count ? buckets[hash % bucket_count] : 0; index != STN_UNDEF;
	     index = chain[index])
		if (is_definition_of(tables, index, symbol))
			return true;
	return false;
}

bool object_defines(const struct dl_phdr_info *object, const char *symbol)
{
	struct object_tables tables;

	if (!tables_of(object, &tables))
		return false;
	if (tables.gnu_hash != NULL)
		return gnu_hash_defines(&tables, symbol);
	return tables.sysv_hash != NULL && sysv_hash_defines(&tables, symbol);
}

/* What is looked for, and the answers. */
struct search {
	uintptr_t address, end;
	bool has_path;
};

static int look_for_holder(struct dl_phdr_info *object, size_t size, void *context)
{
	struct search *search = context;
	uintptr_t end = 0;
	bool holds = false;

	(void)size;
	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];

		holds = holds ||
			(part->p_type == PT_LOAD &&
			 search->address - object->dlpi_addr - part->p_vaddr < part->p_memsz);
		if (part->p_type == PT_LOAD)
			end = object->dlpi_addr + part->p_vaddr + part->p_memsz;
	}
	if (!holds)
		return 0;
	search->end = end;
	for (const ElfW(Dyn) *entry = dynamic_section(object);
	     entry != NULL && entry->d_tag != DT_NULL; entry++)
		search->has_path =
			search->has_path || entry->d_tag == DT_RUNPATH || entry->d_tag == DT_RPATH;
	return 1;
}

bool object_has_search_path(const void *address)
{
	struct search search = {.address = (uintptr_t)address};

	dl_iterate_phdr(look_for_holder, &search);
	return search.has_path;
}

const void *object_end(const void *address)
{
	struct search search = {.address = (uintptr_t)address};

	dl_iterate_phdr(look_for_holder, &search);
	return (const void *)search.end;
}
