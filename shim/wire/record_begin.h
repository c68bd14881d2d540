/* record_begin.h - the first six bytes of a TLS record that holds a ClientHello, found anywhere in
 * a stream, however it is cut.
 */
#ifndef CFSHIM_RECORD_BEGIN_H
#define CFSHIM_RECORD_BEGIN_H

#include <stddef.h>
#include <stdint.h>

#define RECORD_HEADER_BYTES 5
#define RECORD_BEGIN_BYTES  6
#define RECORD_MAX_BYTES    16384
#define RECORD_HANDSHAKE    22

/* The last bytes that were seen, less than a begin.  All zero: none. */
struct record_window {
	uint8_t bytes[RECORD_BEGIN_BYTES - 1];
	uint8_t count;
};

/* The first begin of which the last byte stands at `from` or behind it in `bytes`, which follow
 * upon the window's: the place of that last byte, and the six bytes; `count` where there is none.
 */
size_t record_begin_find(const struct record_window *window, const unsigned char *bytes,
			 size_t count, size_t from, uint8_t begin[RECORD_BEGIN_BYTES]);

/* The stream goes on behind these bytes. */
void record_window_move(struct record_window *window, const unsigned char *bytes, size_t count);

/* The same of any window: the last `size` bytes of what is there and of these.  How many there are
 * now. */
size_t window_move(uint8_t *window, size_t size, size_t there, const unsigned char *bytes,
		   size_t count);

#endif
