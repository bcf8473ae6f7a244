/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over files, so that a corpus is a test in every build: each argument is a file
 * or a folder of files. Exit status 1 when nothing was run.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fdio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(int dirfd, const char *name)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	_cleanup_(cleanup_free) uint8_t *exact = NULL;
	int r = file_read_at(dirfd, name, &b);

	if (r < 0) {
		fprintf(stderr, "%s: %s\n", name, strerror(-r));
		return -1;
	}
	/* a copy of exactly that size, so that a sanitizer sees one byte too many */
	exact = malloc(b.len ? b.len : 1);
	if (!exact)
		return -1;
	if (b.len)
		memcpy(exact, b.data, b.len);
	LLVMFuzzerTestOneInput(exact, b.len);
	return 1;
}

static int run_folder(const char *path)
{
	_cleanup_(cleanup_dir) DIR *d = opendir(path);
	struct dirent *e;
	int n = 0;

	while (d && (e = readdir(d))) {
		int r = e->d_name[0] == '.' ? 0 : run_file(dirfd(d), e->d_name);

		if (r < 0)
			return r;
		n += r;
	}
	return n;
}

int main(int argc, char **argv)
{
	int n = 0;

	for (int i = 1; i < argc; i++) {
		struct stat st;
		int r;

		if (stat(argv[i], &st) < 0) {
			perror(argv[i]);
			return 1;
		}
		r = S_ISDIR(st.st_mode) ? run_folder(argv[i]) : run_file(AT_FDCWD, argv[i]);
		if (r < 0)
			return 1;
		n += r;
	}
	printf("%d inputs\n", n);
	return n > 0 ? 0 : 1;
}
