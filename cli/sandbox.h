/* SPDX-License-Identifier: MIT */
/*
 * A child process for foreign bytes: it may compute, and read and write the descriptors it was
 * given, and nothing else. Invariant: the body runs only when all of that is in force.
 */
#ifndef CLI_SANDBOX_H
#define CLI_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

/*
 * Runs in the child; returns its exit status. *position is memory shared with the parent: the body
 * keeps the number of what it works on there (packets, from 1), to be told should it be stopped.
 */
typedef int (*sandbox_body)(void *userdata, volatile uint64_t *position);

struct sandbox_end {
	int status;	   /* what the body returned; -1 when a signal ended the child */
	int signal;	   /* that signal, else 0; SIGSYS: it made a system call it may not make */
	uint64_t position; /* the last one the body stored */
};

#define SANDBOX_MESSAGE_MAX 65536
/*
 * What the child may ask of its parent, which keeps its rights: a question is one message that the
 * child writes to child_fd, and is foreign bytes; the answer is one message. Messages have at most
 * SANDBOX_MESSAGE_MAX bytes.
 */
struct sandbox_service {
	int child_fd; /* set for the body */
	int event_fd; /* on_event() is called when it is readable; -1 = none, also from then on */
	/* Returns the length of the answer, at most SANDBOX_MESSAGE_MAX; 0 = none, and no more. */
	size_t (*serve)(const void *question, size_t len, void *answer, void *userdata);
	void (*on_event)(void *userdata); /* or NULL */
	/* Called in the child: lets go of what the parent alone is to have. Or NULL. */
	void (*forget)(void *userdata);
	void *userdata;
};

enum { SANDBOX_UNFILTERED = 1 };
/*
 * What the body can not do any more: open, create, rename or remove a file; make, bind or connect a
 * socket; start a program or a process; trace or signal another one; gain privileges. It has no
 * capability, and who was root is `nobody`; where root cannot become `nobody` (a user namespace
 * that does not map it, root without CAP_SETUID or CAP_SETGID) it stays root in name, without the
 * groups and capabilities that it can let go of, and everything else holds. Threads, memory,
 * clocks, pipes and the descriptors that are open already remain, so open and load first what is
 * needed (files, message catalogues, time zones).
 *
 * The caller's other threads block all signals and hold no lock that the body needs; its stdio
 * streams are flushed, and the body flushes its own. A `service` may be NULL. Meanwhile the calling
 * process passes SIGTERM, SIGHUP, SIGUSR1 and a SIGINT that was meant for it alone on to the child.
 *
 * 0; SANDBOX_UNFILTERED: this kernel has no seccomp filters (CONFIG_SECCOMP_FILTER), so the body
 * has run with its user, its capabilities and, where the kernel has it, Landlock taken away, but
 * with every system call; -errno of fork, mmap or of a wall that could not be put up: then the body
 * has not run. Landlock is done without where neither the kernel nor the container (EPERM) offers
 * it. The body never runs in the calling process.
 */
int sandbox_run(sandbox_body body, void *userdata, struct sandbox_service *service,
		struct sandbox_end *ret_end);

#endif
