#include "piece.h"

/* RFC 9110, 5.6.2.  A table, since it is asked for each byte of each name. */
static const bool is_token_byte[256] = {
	['!'] = true, ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true, ['\''] = true,
	['*'] = true, ['+'] = true, ['-'] = true, ['.'] = true, ['^'] = true, ['_'] = true,
	['`'] = true, ['|'] = true, ['~'] = true, ['0'] = true, ['1'] = true, ['2'] = true,
	['3'] = true, ['4'] = true, ['5'] = true, ['6'] = true, ['7'] = true, ['8'] = true,
	['9'] = true, ['A'] = true, ['B'] = true, ['C'] = true, ['D'] = true, ['E'] = true,
	['F'] = true, ['G'] = true, ['H'] = true, ['I'] = true, ['J'] = true, ['K'] = true,
	['L'] = true, ['M'] = true, ['N'] = true, ['O'] = true, ['P'] = true, ['Q'] = true,
	['R'] = true, ['S'] = true, ['T'] = true, ['U'] = true, ['V'] = true, ['W'] = true,
	['X'] = true, ['Y'] = true, ['Z'] = true, ['a'] = true, ['b'] = true, ['c'] = true,
	['d'] = true, ['e'] = true, ['f'] = true, ['g'] = true, ['h'] = true, ['i'] = true,
	['j'] = true, ['k'] = true, ['l'] = true, ['m'] = true, ['n'] = true, ['o'] = true,
	['p'] = true, ['q'] = true, ['r'] = true, ['s'] = true, ['t'] = true, ['u'] = true,
	['v'] = true, ['w'] = true, ['x'] = true, ['y'] = true, ['z'] = true,
};

bool piece_cut_token(struct piece *rest, char byte, struct piece *token)
{
	size_t length = 0;

	while (length < rest->length && is_token_byte[(unsigned char)rest->at[length]])
		length++;
	if (length == 0 || length == rest->length || rest->at[length] != byte)
		return false;
	*token = (struct piece){rest->at, length};
	rest->at += length + 1;
	rest->length -= length + 1;
	return true;
}

static int small_of(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

/* Not strncasecmp(): what that takes for the small letter of an I is the locale's to say. */
bool piece_is_spelled(struct piece piece, const char *letters)
{
	for (size_t i = 0; i < piece.length; i++)
		if (piece.at[i] != letters[i] && small_of(piece.at[i]) != small_of(letters[i]))
			return false;
	return true;
}

bool piece_number(struct piece piece, uint64_t *number)
{
	*number = 0;
	for (size_t i = 0; i < piece.length; i++) {
		if (!piece_is_digit(piece.at[i]))
			return false;
		*number = *number * 10 + (uint64_t)(piece.at[i] - '0');
	}
	return piece.length > 0 && piece.length <= 18;
}
