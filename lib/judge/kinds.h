/* SPDX-License-Identifier: MIT */
/*
 * What a program is, beyond being packaged. A package says nothing about what a shell, an
 * interpreter, a loader, an emulator or a relay was told to do: those are never explained by it.
 */
#ifndef JUDGE_KINDS_H
#define JUDGE_KINDS_H

#include <stdbool.h>

#include <portavoz/conversation.h>

enum program_kind {
	KIND_PLAIN,
	KIND_SHELL,
	KIND_INTERPRETER, /* or whatever else runs a program that is not its own */
	KIND_RELAY,
};

/* By the last part of its path. */
enum program_kind kind_of_name(const struct pv_bytes *name);
/*
 * The options of one letter that may stand before a script without a value of their own and without
 * bringing code: any other could make the next argument something else than a script.
 */
const char *kind_flags(const struct pv_bytes *name);
/* By its package; KIND_PLAIN = that says nothing. */
enum program_kind kind_of_package(const struct pv_bytes *package);
/* One file that is many programs, by the name it is called by: busybox. */
bool kind_is_multicall(const struct pv_bytes *name);
/* Passes on what others send (sshd, haproxy): the far end of its conversations is not itself. */
bool kind_is_forwarder(const struct pv_bytes *name);

#endif
