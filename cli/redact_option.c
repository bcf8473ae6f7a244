/* SPDX-License-Identifier: MIT */
/* Without a usable key nothing is shown: what was to be hidden never appears by mistake. */
#include "cli/redact_option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool report_key(const char *replay, int error)
{
	if (!replay || error != -EKEYREJECTED)
		return false;
	usage_error(replay, "was redacted with another key than that of --redact: names of the two "
			    "cannot be told from each other");
	return true;
}

int redact_open(const char *file, struct pv_redactor **ret)
{
	int r = file ? pv_redactor_open(file, ret) : 0;

	if (r == 0)
		return 0;
	if (r == -EPERM)
		usage_error(file, "is a key that everybody can read or write: chmod 600");
	else if (r == -EINVAL)
		usage_error(file, "is no key: at least %d bytes in a file or a pipe",
			    PV_REDACT_KEY_MIN);
	else if (r == -ELIBACC)
		usage_error(file, "cannot be used: libcrypto could not be loaded");
	else
		usage_error(file, "%s", strerror(-r));
	return EXIT_FAILURE;
}
