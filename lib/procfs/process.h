/* SPDX-License-Identifier: MIT */
/*
 * One process, read beneath one handle of /proc/PID: what is returned together belonged together,
 * whatever happens to the number. A pid alone names nobody; pid and start time do.
 */
#ifndef PROCFS_PROCESS_H
#define PROCFS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/tape.h"
#include "procfs/reader.h"

#define PROCFS_E_GONE 1	  /* the process exited */
#define PROCFS_E_REUSED 2 /* the pid belongs to a process that started at another time */

#define PROCFS_COMM_MAX 63 /* kernel workers report up to this much (since 4.18), others 15 */
#define PROCFS_CMDLINE_MAX 65536
#define PROCFS_FLAG_KTHREAD 0x00200000 /* PF_KTHREAD of field 9 of stat */

/* /proc/PID/stat, as far as it is used. */
struct procfs_stat {
	uint64_t start_ticks;
	uint32_t n_threads;
	uint32_t flags;
	int32_t pid;
	int32_t ppid; /* 0 = none in this pid namespace */
	uint8_t comm_len;
	char state;
	char comm[PROCFS_COMM_MAX];
};

/* 0 or -EBADMSG. The name may hold any byte: it ends at the last ')'. */
int procfs_stat_parse(const void *data, size_t len, struct procfs_stat *ret_stat);
/* The effective uid of /proc/PID/status; 0 or -EBADMSG. */
int procfs_status_uid(const void *data, size_t len, uint32_t *ret_uid);

/* The file a process runs, asked for through /proc/PID/exe: no path is walked. */
struct procfs_exe {
	uint64_t device, inode;
	uint32_t links, uid;
};

/* "DEVICE INODE LINKS UID" in decimal, as recordings have it; 0 or -EBADMSG. */
int procfs_exe_parse(const void *data, size_t len, struct procfs_exe *ret_exe);

/*
 * Init once, read many processes into it, deinit. The members of needs that were not asked for are
 * empty; an error member says why one that was asked for is (-EACCES, -EPERM, -ESRCH: exited in
 * the meantime, -ETIMEDOUT, -ENODATA: not in the recording, ...).
 */
struct procfs_process {
	int32_t pid;
	uint32_t uid; /* UINT32_MAX = not read */
	struct procfs_stat stat;
	struct buf exe;	    /* as the kernel names it, " (deleted)" included */
	struct buf cmdline; /* arguments, each ended by a NUL */
	struct buf cgroup;  /* path, see procfs_cgroup_path() */
	struct buf listen;  /* of the environment, see procfs_listen_filter() */
	bool is_cmdline_cut;
	int exe_error, cmdline_error, cgroup_error, uid_error, listen_error;
	struct procfs_exe exe_file;
	int exe_file_error;
	struct reader reader;
	struct buf scratch;
};

void procfs_process_init(struct procfs_process *p);
void procfs_process_deinit(struct procfs_process *p);
/*
 * Reads pid's stat, and what needs names (PV_NEED_EXE, _CMDLINE, _CGROUP, _PUSER, _LISTEN, and
 * with _VERDICT exe_file). With a
 * start time other than 0 only the process that started then is accepted. Opens and stats nothing
 * outside procfs. 0, PROCFS_E_GONE, PROCFS_E_REUSED, -ENODATA (not in the recording) or -errno.
 */
int procfs_process_read(struct tape *t, int32_t pid, uint64_t expected_start_ticks, uint32_t needs,
			struct procfs_process *p);

#endif
