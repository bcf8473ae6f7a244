/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over files, so that a corpus is a test in every build: each argument is a file
 * or a folder of files. --cut runs each file cut at every byte, too. Exit status 1 when nothing was
 * run.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fdio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As a copy of exactly that size, so that a sanitizer sees one byte too many. */
static int run_exact(const struct buf *b, size_t size)
{
	_cleanup_(cleanup_free) uint8_t *exact = malloc(size ? size : 1);

	if (!exact)
		return -1;
	if (size)
		memcpy(exact, b->data, size);
	LLVMFuzzerTestOneInput(exact, size);
	return 0;
}

static int run_file(int dirfd, const char *name, bool is_cut)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r = file_read_at(dirfd, name, &b), n = 0;

	if (r < 0) {
		fprintf(stderr, "%s: %s\n", name, strerror(-r));
		return -1;
	}
	for (size_t size = is_cut ? 0 : b.len; size <= b.len; size++, n++)
		if (run_exact(&b, size) < 0)
			return -1;
	return n;
}

static int run_folder(const char *path, bool is_cut)
{
	_cleanup_(cleanup_dir) DIR *d = opendir(path);
	struct dirent *e;
	int n = 0;

	while (d && (e = readdir(d))) {
		int r = e->d_name[0] == '.' ? 0 : run_file(dirfd(d), e->d_name, is_cut);

		if (r < 0)
			return r;
		n += r;
	}
	return n;
}

int main(int argc, char **argv)
{
	bool is_cut = argc > 1 && !strcmp(argv[1], "--cut");
	int n = 0;

	for (int i = 1 + is_cut; i < argc; i++) {
		struct stat st;
		int r;

		if (stat(argv[i], &st) < 0) {
			perror(argv[i]);
			return 1;
		}
		r = S_ISDIR(st.st_mode) ? run_folder(argv[i], is_cut)
					: run_file(AT_FDCWD, argv[i], is_cut);
		if (r < 0)
			return 1;
		n += r;
	}
	printf("%d inputs\n", n);
	return n > 0 ? 0 : 1;
}
