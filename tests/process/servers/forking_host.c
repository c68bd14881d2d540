/* forking_host - a threaded host whose children free an SSL of their parent's, while another thread
 * is within the dynamic loader; as one that loads modules.  Prints how many children died of it.
 */
#include <dlfcn.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 200

static void *load_and_unload(void *argument)
{
	void *module;

	for (;;) {
		module = dlopen(argument, RTLD_NOW);
		if (module != NULL)
			dlclose(module);
	}
	return NULL;
}

int main(int count, char **words)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	SSL *ssl = SSL_new(context);
	pthread_t loader;
	int died = 0;

	if (count != 2 || ssl == NULL ||
	    pthread_create(&loader, NULL, load_and_unload, words[1]) != 0)
		return 2;
	for (int i = 0; i < CHILDREN; i++) {
		pid_t child = fork();
		int status = 0;

		if (child == 0) {
			alarm(2);
			SSL_free(ssl);
			_exit(0);
		}
		if (waitpid(child, &status, 0) != child || status != 0)
			died++;
	}
	printf("%d\n", died);
	fflush(stdout);
	_exit(0); /* the thread goes on until the end */
}
