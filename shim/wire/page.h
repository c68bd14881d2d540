/* page.h - what a refused client reads: a short page that names neither the server nor its
 * libraries.  Pure: bytes out, no I/O.
 */
#ifndef CFSHIM_WIRE_PAGE_H
#define CFSHIM_WIRE_PAGE_H

#include <stddef.h>

#define PAGE_MAX_BYTES 192

/* "403 Forbidden" -> "Forbidden"; a word that fits all where the status has none of its own. */
const char *page_phrase(unsigned status);

/* The page; its length, which is below PAGE_MAX_BYTES. */
size_t page_write(char page[PAGE_MAX_BYTES], unsigned status);

#endif
