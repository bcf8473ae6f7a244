/* SPDX-License-Identifier: MIT */
/* The policy that verdicts follow: the files of this host, or the one that --policy names. */
#ifndef CLI_POLICY_OPTION_H
#define CLI_POLICY_OPTION_H

#include <portavoz/portavoz.h>

/*
 * Reads `file`, or with NULL PV_POLICY_FILE and PV_POLICY_FOLDER. 0 and a policy for
 * pv_policy_free(); else the exit status, after saying on stderr what is wrong and where.
 */
int policy_option_open(const char *file, struct pv_policy **ret_policy);

#endif
