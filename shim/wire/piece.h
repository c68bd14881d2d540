/* piece.h - bytes between two others of a buffer, and what parsers of HTTP ask of them.
 *
 * Owns nothing, allocates nothing; not NUL-terminated.  Threads: any.
 */
#ifndef CFSHIM_WIRE_PIECE_H
#define CFSHIM_WIRE_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct piece {
	const char *at;
	size_t length;
};

/* Here stands what each line of each request takes.  Of ASCII, whatever the locale. */
static inline bool piece_is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static inline bool piece_is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* These bytes, their letters small or large. */
bool piece_is_spelled(struct piece piece, const char *letters);

static inline bool piece_is_word(struct piece piece, const char *word)
{
	return piece.length == strlen(word) && piece_is_spelled(piece, word);
}

/* Cut off `rest` what stands before the first such byte, and the byte.  False: it is not there. */
static inline bool piece_cut(struct piece *rest, char byte, struct piece *before)
{
	const char *found = memchr(rest->at, byte, rest->length);

	if (found == NULL)
		return false;
	*before = (struct piece){rest->at, (size_t)(found - rest->at)};
	rest->at = found + 1;
	rest->length -= before->length + 1;
	return true;
}

/* Cut off `rest` the token (RFC 9110, 5.6.2) before the first such byte, and the byte.  False: what
 * stands there is none. */
bool piece_cut_token(struct piece *rest, char byte, struct piece *token);

/* Without the blanks and tabs at both ends. */
static inline struct piece piece_without_blanks(struct piece piece)
{
	while (piece.length > 0 && (*piece.at == ' ' || *piece.at == '\t'))
		piece.at++, piece.length--;
	while (piece.length > 0 &&
	       (piece.at[piece.length - 1] == ' ' || piece.at[piece.length - 1] == '\t'))
		piece.length--;
	return piece;
}

/* Its digits as a number; false: it has others, or none, or more than 18. */
bool piece_number(struct piece piece, uint64_t *number);

#endif
