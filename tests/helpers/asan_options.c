/* SPDX-License-Identifier: MIT */
/*
 * Linked into the program in builds with the address sanitizer only: its leak detector reads /proc,
 * and its run-time takes ASAN_OPTIONS from there, so where a test hides /proc only this can tell it
 * to leave leaks alone.
 */
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((visibility("default"), no_sanitize_address)) const char *
__asan_default_options(void);

const char *__asan_default_options(void)
{
	return syscall(SYS_faccessat, -1, "/proc/self/task", F_OK) == 0 ? "" : "detect_leaks=0";
}
