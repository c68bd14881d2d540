#include "piece.h"

#include <string.h>
#include <strings.h>

bool piece_is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

bool piece_is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* RFC 9110, 5.6.2. */
static bool is_token_byte(char byte)
{
	return piece_is_letter(byte) || piece_is_digit(byte) || byte == '-' ||
	       (byte != '\0' && strchr("!#$%&'*+.^_`|~", byte) != NULL);
}

bool piece_is_token(struct piece piece)
{
	for (size_t i = 0; i < piece.length; i++)
		if (!is_token_byte(piece.at[i]))
			return false;
	return piece.length > 0;
}

bool piece_is_word(struct piece piece, const char *word)
{
	return piece.length == strlen(word) && strncasecmp(piece.at, word, piece.length) == 0;
}

bool piece_cut(struct piece *rest, char byte, struct piece *before)
{
	const char *found = memchr(rest->at, byte, rest->length);

	if (found == NULL)
		return false;
	*before = (struct piece){rest->at, (size_t)(found - rest->at)};
	rest->at = found + 1;
	rest->length -= before->length + 1;
	return true;
}

struct piece piece_without_blanks(struct piece piece)
{
	while (piece.length > 0 && (*piece.at == ' ' || *piece.at == '\t'))
		piece.at++, piece.length--;
	while (piece.length > 0 &&
	       (piece.at[piece.length - 1] == ' ' || piece.at[piece.length - 1] == '\t'))
		piece.length--;
	return piece;
}
