/* plain_host.h - what the plain-text host and its test both know. */
#ifndef PLAIN_HOST_H
#define PLAIN_HOST_H

#define PLAIN_REQUEST "GET / HTTP/1.0\r\n\r\n"
#define PLAIN_ANSWER  "the answer of a host without TLS\n"

#endif
