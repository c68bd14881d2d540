#include "page.h"

#include <stdio.h>

/* RFC 9110, section 15, and what nginx made known. */
static const struct {
	unsigned status;
	const char *phrase;
} phrases[] = {
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{402, "Payment Required"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{410, "Gone"},
	{411, "Length Required"},
	{412, "Precondition Failed"},
	{413, "Content Too Large"},
	{421, "Misdirected Request"},
	{429, "Too Many Requests"},
	{451, "Unavailable For Legal Reasons"},
	{495, "SSL Certificate Error"},
	{496, "SSL Certificate Required"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
};

const char *page_phrase(unsigned status)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Refused";
}

size_t page_write(char page[PAGE_MAX_BYTES], unsigned status)
{
	const char *phrase = page_phrase(status);

	return (size_t)snprintf(page, PAGE_MAX_BYTES,
				"<!DOCTYPE html>\n<html><head><title>%u %s</title></head>"
				"<body><h1>%u %s</h1></body></html>\n",
				status, phrase, status, phrase);
}
