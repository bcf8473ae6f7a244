/* SPDX-License-Identifier: MIT */
/* Raw dumps of TCP sockets on the command line: -D FILE, and what is wrong with one. */
#ifndef CLI_DUMP_H
#define CLI_DUMP_H

#include <portavoz/portavoz.h>

/* Writes the file, "-" is standard output. Returns the exit status, after a message unless 0. */
int dump_write(const struct pv_request *request, const char *file);
/* Says where a file stops to be a dump; false: it was none that could be read, or nothing is wrong.
 */
bool dump_say_damage(const char *file);

#endif
