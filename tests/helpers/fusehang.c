/* SPDX-License-Identifier: MIT */
/*
 * fusehang DIR: mounts a file system on DIR that answers until a child holds an open file there, a
 * working directory there and a listening socket, then never again: the stand-in for a dead network
 * file server. Prints {"pid","port"} of the child. To be run in a mount namespace of its own; the
 * end of standard input aborts the mount.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper.h"

#define FILE_NODE 2

static void reply(int fuse, uint64_t unique, int error, const void *data, size_t len)
{
	struct fuse_out_header head = { .len = (uint32_t)(sizeof(head) + len),
					.error = -error,
					.unique = unique };
	struct iovec iov[2] = { { &head, sizeof(head) }, { (void *)data, len } };

	/* an interrupted request may be gone: no failure of ours */
	if (writev(fuse, iov, len ? 2 : 1) < 0 && errno != ENOENT)
		die("reply");
}

static struct fuse_attr attributes(uint64_t node)
{
	return (struct fuse_attr){ .ino = node,
				   .mode = node == FILE_NODE ? S_IFREG | 0644 : S_IFDIR | 0755,
				   .nlink = 1 };
}

static void answer(int fuse, const struct fuse_in_header *in)
{
	struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
				      .minor = 31,
				      .max_write = 4096 };
	struct fuse_entry_out entry = { .nodeid = FILE_NODE, .attr = attributes(FILE_NODE) };
	struct fuse_attr_out attr = { .attr = attributes(in->nodeid) };
	struct fuse_open_out opened = { .fh = in->nodeid };

	switch (in->opcode) {
	case FUSE_INIT:
		return reply(fuse, in->unique, 0, &init, sizeof(init));
	case FUSE_LOOKUP:
		return reply(fuse, in->unique, 0, &entry, sizeof(entry));
	case FUSE_GETATTR:
		return reply(fuse, in->unique, 0, &attr, sizeof(attr));
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		return reply(fuse, in->unique, 0, &opened, sizeof(opened));
	case FUSE_FORGET:
	case FUSE_INTERRUPT:
		return;
	default:
		return reply(fuse, in->unique, ENOSYS, NULL, 0);
	}
}

/* until the child has written its port to `done` */
static uint16_t serve_until(int fuse, int done)
{
	static char request[1 << 17] __attribute__((aligned(8)));
	struct pollfd p[2] = { { .fd = fuse, .events = POLLIN }, { .fd = done, .events = POLLIN } };
	uint16_t port;

	while (poll(p, 2, -1) >= 0) {
		if (p[1].revents) {
			if (read(done, &port, sizeof(port)) != sizeof(port))
				die("the holder failed");
			return port;
		}
		ssize_t n = read(fuse, request, sizeof(request));
		if (n >= (ssize_t)sizeof(struct fuse_in_header))
			answer(fuse, (const struct fuse_in_header *)request);
	}
	die("poll");
}

static void hold(const char *dir, int done)
{
	must(chdir(dir), "chdir");
	must(open("file", O_RDONLY | O_CLOEXEC), "open");
	uint16_t port = port_of(tcp_listener(LOOPBACK, 0, 5));

	must((int)write(done, &port, sizeof(port)), "write");
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	char options[128];
	int ends[2];

	if (argc != 2)
		die("usage: fusehang DIR");
	helper_begin(120);
	int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fuse < 0)
		skip("/dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse);
	if (mount("hang", argv[1], "fuse", MS_NOSUID | MS_NODEV, options) < 0)
		skip("mount of a FUSE file system");
	must(pipe2(ends, O_CLOEXEC), "pipe");
	pid_t pid = fork_child();
	if (!pid) {
		close(fuse);
		hold(argv[1], ends[1]);
	}
	printf("{\"pid\":%d,\"port\":%u}\n", pid, serve_until(fuse, ends[0]));
	say_ready();
	wait_for_end();
	close(fuse);
	umount2(argv[1], MNT_DETACH);
	return 0;
}
