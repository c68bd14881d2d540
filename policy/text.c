#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for `more` bytes and the NUL. */
static bool text_reserve(struct text *text, size_t more)
{
	size_t wanted = text->length + more + 1;
	char *bytes;

	if (text->no_memory)
		return false;
	if (wanted <= text->capacity)
		return true;
	wanted += wanted / 2 + 64;
	bytes = realloc(text->bytes, wanted);
	if (bytes == NULL) {
		text->no_memory = true;
		return false;
	}
	text->bytes = bytes;
	text->capacity = wanted;
	return true;
}

void text_add_list(struct text *text, const char *format, va_list values)
{
	va_list again;
	int length;

	va_copy(again, values);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0) {
		text->no_memory = true;
	} else if (text_reserve(text, (size_t)length)) {
		vsnprintf(text->bytes + text->length, (size_t)length + 1, format, values);
		text->length += (size_t)length;
	}
}

void text_add(struct text *text, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	text_add_list(text, format, values);
	va_end(values);
}

void text_add_visible(struct text *text, const char *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";

	if (!text_reserve(text, 4 * length))
		return;
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)bytes[i];
		char *end = text->bytes + text->length;

		if (byte >= 0x20 && byte < 0x7f) {
			*end = bytes[i];
			text->length++;
		} else {
			memcpy(end, (char[]){'\\', 'x', digits[byte >> 4], digits[byte & 15]}, 4);
			text->length += 4;
		}
	}
	text->bytes[text->length] = '\0';
}

char *text_end(struct text *text)
{
	if (!text_reserve(text, 0)) {
		free(text->bytes);
		text->bytes = NULL;
		return NULL;
	}
	text->bytes[text->length] = '\0';
	return text->bytes;
}
