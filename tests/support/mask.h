/* mask.h - a protocol inside of which nobody recognises TLS: each byte of a stream is another one.
 * On both sides of an attack.
 */
#ifndef MASK_H
#define MASK_H

/* The unmasked end of the connected `descriptor`, which a thread has from now on. */
int mask_off(int descriptor);

#endif
