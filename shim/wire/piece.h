/* piece.h - bytes between two others of a buffer, and what parsers of HTTP ask of them.
 *
 * Owns nothing, allocates nothing; not NUL-terminated.  Threads: any.
 */
#ifndef CFSHIM_WIRE_PIECE_H
#define CFSHIM_WIRE_PIECE_H

#include <stdbool.h>
#include <stddef.h>

struct piece {
	const char *at;
	size_t length;
};

/* Of ASCII, whatever the locale. */
bool piece_is_letter(char byte);
bool piece_is_digit(char byte);

/* A token of RFC 9110, 5.6.2. */
bool piece_is_token(struct piece piece);

/* This word, its letters small or large. */
bool piece_is_word(struct piece piece, const char *word);

/* Cut off `rest` what stands before the first such byte, and the byte.  False: it is not there. */
bool piece_cut(struct piece *rest, char byte, struct piece *before);

/* Without the blanks and tabs at both ends. */
struct piece piece_without_blanks(struct piece piece);

#endif
