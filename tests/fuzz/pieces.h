/* pieces.h - what the fuzz targets of shim/wire/ share: a stream cut as the input says, each piece
 * in memory of its own, so that a sanitizer sees each byte read beside it.
 */
#ifndef PIECES_H
#define PIECES_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

#define DEMAND(holds) ((holds) ? (void)0 : abort())

/* The next piece of what is left, between 1 and 64 bytes mostly; `chance` decides and moves on. */
static inline size_t piece_size(uint32_t *chance, size_t left)
{
	size_t size;

	*chance = *chance * 1664525u + 1013904223u;
	size = *chance >> 30 == 0 ? left : 1 + (*chance >> 16) % 64;
	return size < left ? size : left;
}

/* For free(). */
static inline unsigned char *piece_copy(const uint8_t *bytes, size_t size)
{
	unsigned char *copy = malloc(size > 0 ? size : 1);

	DEMAND(copy != NULL);
	if (size > 0)
		memcpy(copy, bytes, size);
	return copy;
}

/* The first four bytes of the input decide how the rest is cut. */
static inline uint32_t take_chance(const uint8_t **input, size_t *size)
{
	uint32_t chance = 0;

	if (*size >= sizeof(chance)) {
		memcpy(&chance, *input, sizeof(chance));
		*input += sizeof(chance);
		*size -= sizeof(chance);
	}
	return chance;
}

#endif
