/* SPDX-License-Identifier: MIT */
#include "cli/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/options.h"

static int open_output(const char *file)
{
	if (!strcmp(file, "-"))
		return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	return open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
}

int dump_write(const struct pv_request *request, const char *file)
{
	_cleanup_(cleanup_fd) int fd = open_output(file);
	size_t n;
	int r = fd < 0 ? -errno : pv_dump_write(request, fd, &n);

	if (r < 0)
		usage_error(file, "%s", strerror(-r));
	else if (r == PV_DUMP_PARTIAL)
		usage_error(file, "is incomplete: the kernel dropped answers");
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}

bool dump_say_damage(const char *file)
{
	struct pv_dump_error error;

	if (pv_dump_check(file, &error) != -EBADMSG)
		return false;
	usage_error(file, "is no dump of TCP sockets: what begins at byte %llu %s",
		    (unsigned long long)error.offset, error.message);
	return true;
}
