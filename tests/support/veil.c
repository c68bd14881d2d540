#include "veil.h"

#include "attack.h"

#include <openssl/bio.h>
#include <stdlib.h>
#include <sys/socket.h>

struct veil {
	int descriptor, shown;
	enum veil_unseen unseen;
};

static int veil_read(BIO *bio, char *bytes, int size)
{
	const struct veil *veil = BIO_get_data(bio);

	return (int)(veil->unseen == VEIL_UNSEEN ? HOST_ORIGINAL(recv)
						 : recv)(veil->descriptor, bytes, (size_t)size, 0);
}

static int veil_write(BIO *bio, const char *bytes, int size)
{
	const struct veil *veil = BIO_get_data(bio);

	return (int)(veil->unseen != VEIL_SEEN ? HOST_ORIGINAL(send) : send)(
		veil->descriptor, bytes, (size_t)size, MSG_NOSIGNAL);
}

static long veil_control(BIO *bio, int command, long number, void *pointer)
{
	const struct veil *veil = BIO_get_data(bio);

	(void)number;
	if (command == BIO_C_GET_FD && veil->shown >= 0) {
		if (pointer != NULL)
			*(int *)pointer = veil->shown;
		return veil->shown;
	}
	return command == BIO_CTRL_FLUSH;
}

static int veil_end(BIO *bio)
{
	free(BIO_get_data(bio));
	return 1;
}

void veil_set(SSL *ssl, int shown, enum veil_unseen unseen)
{
	static BIO_METHOD *method;
	struct veil *veil = malloc(sizeof(*veil));
	BIO *bio;

	if (method == NULL) {
		method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "veil");
		BIO_meth_set_read(method, veil_read);
		BIO_meth_set_write(method, veil_write);
		BIO_meth_set_ctrl(method, veil_control);
		BIO_meth_set_destroy(method, veil_end);
	}
	bio = BIO_new(method);
	*veil = (struct veil){SSL_get_fd(ssl), shown, unseen};
	BIO_set_data(bio, veil);
	BIO_set_init(bio, 1);
	SSL_set_bio(ssl, bio, bio);
}

void veil_hide_bytes(SSL *ssl)
{
	veil_set(ssl, -1, VEIL_UNSEEN);
}
