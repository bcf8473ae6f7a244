/* SPDX-License-Identifier: MIT */
/*
 * A library for LD_PRELOAD that leaves the lines with $HIDESOCK out of a thread's own net/tcp: what
 * something that edits the text tables of one network namespace would do.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The same text without those lines, in a file of its own. */
static int filtered(int fd, const char *hidden)
{
	int copy = memfd_create("tcp", MFD_CLOEXEC);
	FILE *in = fdopen(fd, "r"), *out = copy < 0 ? NULL : fdopen(dup(copy), "w");
	char line[512];

	while (in && out && fgets(line, sizeof(line), in))
		if (!strstr(line, hidden))
			fputs(line, out);
	if (in)
		fclose(in);
	if (out)
		fclose(out);
	lseek(copy, 0, SEEK_SET);
	return copy;
}

static int open_filtered(const char *function, int dir, const char *path, int flags, int mode)
{
	int (*next)(int, const char *, int, ...) =
		(int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, function);
	const char *hidden = getenv("HIDESOCK");
	int fd = next(dir, path, flags, mode);

	return fd >= 0 && hidden && !strcmp(path, "thread-self/net/tcp") ? filtered(fd, hidden)
									 : fd;
}

/* On 64-bit machines both names stand for the same, and programs use either. */
int hide_openat(int dir, const char *path, int flags, int mode) __asm__("openat");
int hide_openat64(int dir, const char *path, int flags, int mode) __asm__("openat64");

__attribute__((visibility("default"))) int hide_openat(int dir, const char *path, int flags,
						       int mode)
{
	return open_filtered("openat", dir, path, flags, mode);
}

__attribute__((visibility("default"))) int hide_openat64(int dir, const char *path, int flags,
							 int mode)
{
	return open_filtered("openat64", dir, path, flags, mode);
}
