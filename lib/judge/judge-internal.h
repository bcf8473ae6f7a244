/* SPDX-License-Identifier: MIT */
/*
 * What rules see: programs (files that run, each once), subjects (processes) and cases (a
 * conversation with one of its holders). Facts that are gathered on demand are in a program or a
 * subject once they were; a rule that needs one names it in rules.def.
 */
#ifndef JUDGE_INTERNAL_H
#define JUDGE_INTERNAL_H

#include "base/map.h"
#include "judge/judge.h"
#include "judge/kinds.h"
#include "judge/packages.h"
#include "judge/recall.h"

/*
 * Facts that are gathered when the first rule that needs them is asked, once a program, a process
 * or a run. What every verdict rests on (the program, its package, the file at its path, the
 * script, preloaded libraries) is read before, because one pass over the packages answers all.
 */
#define FACT_FOLDER 0x01    /* program.folder */
#define FACT_DIGEST 0x02    /* program.digest, subject.script_digest, with --verify */
#define FACT_LIBRARIES 0x04 /* subject.library */
#define FACT_HIDING 0x08    /* judge.hidden */
#define FACT_SHELLS 0x10    /* processes that may be fed by a holder */
#define FACT_KERNEL 0x20    /* who uses the kernel's own sockets */

enum rule_scope { SCOPE_POLICY, SCOPE_PROGRAM, SCOPE_SOCKET, SCOPE_FOLLOW };

#define RULE(name, ...) RULE_##name,
enum rule_number {
#include "model/rules.def"
	RULE_N
};
#undef RULE
/* pv_policy_rule.despite is a mask of rules */
_Static_assert(RULE_N <= 64, "too many rules");
#define RULE_BIT(r) (UINT64_C(1) << (r))

enum disk_state {
	DISK_UNKNOWN,
	DISK_SAME,   /* the file at the path is the one that runs */
	DISK_OTHER,  /* another one is there */
	DISK_ABSENT, /* none is */
};

enum digest_state { DIGEST_NONE, DIGEST_SAME, DIGEST_DIFFERS };

struct program {
	uint64_t device, inode; /* with has_id */
	uint32_t links, uid;
	bool has_id;
	struct pv_bytes path; /* without " (deleted)" */
	bool is_deleted, is_memory;
	enum program_kind kind;
	int32_t pid;	/* a process that runs it */
	uint32_t query; /* of its path; MAP_NONE = not asked */
	struct pv_bytes package;
	uint64_t unpacked;
	enum disk_state disk;
	enum digest_state digest;
	struct pv_bytes folder; /* a folder above it that everybody may write to, or empty */
	bool is_folder_unknown;
	bool has_folder, has_digest; /* those were asked for */
};

/* Of a file that is mapped as code; the later the worse. */
enum library_state {
	LIBRARY_NEW,	  /* not looked at */
	LIBRARY_UNKNOWN,  /* a package's place, but the file could not be compared */
	LIBRARY_PACKAGED, /* a package's, at its place */
	LIBRARY_REPLACED, /* deleted, and a package's path: fine if it was unpacked since */
	LIBRARY_REMOVED,  /* deleted, where packages install */
	LIBRARY_LOCAL,	  /* of no package, but where root or a service would put it */
	LIBRARY_FOREIGN,
};

struct library {
	uint64_t device, inode, start, end; /* as /proc/PID/maps has them, of this process: */
	int32_t pid;
	struct pv_bytes path; /* without " (deleted)" */
	bool is_deleted, is_memory;
	uint32_t query; /* of its path; MAP_NONE = not asked */
	enum library_state state;
	bool is_unseen; /* it is there, or not: neither could be told */
};

enum maps_state {
	MAPS_NONE,    /* not asked for */
	MAPS_UNKNOWN, /* could not be read */
	MAPS_STRANGE, /* the executable is not among them */
	MAPS_READ,
};

/* A process. */
struct subject {
	const struct pv_process *p;
	uint32_t program; /* MAP_NONE = its executable is not known, or it is the kernel's */
	bool is_judged;
	bool is_explained, is_suspicious;
	uint64_t fired;	       /* RULE_BIT of its findings */
	uint32_t first, n;     /* of judge.process_findings */
	uint32_t script, unit; /* queries; MAP_NONE = none */
	struct pv_bytes script_path;
	enum digest_state script_digest;
	bool has_script_digest; /* it was asked for */
	bool is_holder;		/* of something that is judged */
	enum maps_state maps;
	uint32_t first_library, n_libraries; /* of judge.library_uses */
	bool has_libraries;		     /* the next two are known */
	uint32_t library;		     /* the worst of them; MAP_NONE = none */
	enum library_state library_state;
	bool has_fed; /* the next two are known */
	uint32_t fed; /* 1 + index of the shell that it feeds; 0 = none */
	const char *channel;
};

/* A shell, or a holder to compare it with. */
struct shell {
	bool is_shell;
	int32_t pid, ppid;
	struct pv_bytes comm;
	struct pv_bytes ends[3]; /* targets of descriptors 0 to 2 */
	struct pv_bytes outputs; /* of a holder: what else it can write to */
};

/* Of a chain of shells, in the order of the list. */
struct shell_link {
	uint32_t shell, next; /* next: 1 + index; 0 = none */
};

/* Who uses a socket of the kernel. */
struct kernel_use {
	const char *kind;
	uint8_t proto, family;	   /* family AF_UNSPEC: both */
	uint16_t local_port;	   /* 0 = any */
	struct pv_endpoint remote; /* port 0 = none */
	const char *evidence;
};

typedef VEC(struct pv_finding) finding_vec;

struct judge {
	struct tape *tape;
	struct pv_snapshot *s;
	const struct judge_request *request;
	struct recall recall;
	VEC(struct program) programs;
	struct map by_file;	  /* of programs */
	struct subject *subjects; /* one for each process of the snapshot */
	size_t n_subjects;
	VEC(struct package_query) queries;
	struct map by_path; /* of queries */
	VEC(struct library) libraries;
	struct map by_mapping;	    /* of libraries */
	VEC(uint32_t) library_uses; /* indices of libraries */
	bool has_packages;	    /* there is a package database */
	bool lacks_digest;	    /* for want of libcrypto a program could not be verified */
	finding_vec process_findings;
	VEC(struct shell) shells;
	struct map shells_by_pid, shell_chains; /* see fed.c */
	VEC(struct shell_link) shell_links;
	bool has_shells;
	VEC(struct kernel_use) kernel_uses;
	bool has_kernel_uses;
	struct map hidden; /* pid -> index of hidden_how */
	VEC(const char *) hidden_how;
	bool has_hidden;
	struct map covered;	      /* inode of a socket -> pid that holds it below a mount */
	bool has_looked_below;	      /* covered holds all of them */
	struct pv_bytes preload_file; /* /etc/ld.so.preload */
	struct map
		listeners; /* local port and protocol -> 1 + first row; chained by next_listener */
	uint32_t *next_listener;
	bool has_above;
	struct pv_bytes above; /* the folder that was asked about last, and what was found */
	struct buf above_folder;
	int above_result;
	unsigned n_disk_misses; /* paths that did not answer in time */
	struct map talks;	/* remote end -> an explained row, or who else talks to it */
};

/* What a rule is asked about. */
struct judge_case {
	struct judge *j;
	uint32_t row;
	const struct pv_conversation *c; /* NULL for a PROGRAM rule */
	struct subject *subject;	 /* NULL = the row has no holder */
	struct program *program;	 /* NULL = not known */
	int32_t fd;			 /* of this holder, in a SOCKET rule */
	uint64_t so_far; /* RULE_BIT of what fired for this process, then for this row */
	/* the evidence's data */
	struct {
		const char *name;
		struct pv_bytes value;
	} places[8];
	size_t n_places;
	char numbers[4][24];
	size_t n_numbers;
};

typedef bool rule_test(struct judge_case *k);

struct rule {
	struct pv_rule public;
	enum rule_scope scope;
	uint32_t facts;
	rule_test *test;
};
extern const struct rule judge_rules[RULE_N];

/* Data for the places of a sentence. Borrowed until the sentence is made. */
void case_say(struct judge_case *k, const char *name, struct pv_bytes value);
void case_text(struct judge_case *k, const char *name, const char *value);
void case_number(struct judge_case *k, const char *name, uint64_t value);
/* Evidence, from the sentence of the finding's rule, in the arena of the snapshot. 0 or -ENOMEM. */
int case_sentence(const struct judge_case *k, struct pv_finding *f);

/* Has it no process, and may it be one of the kernel's own? */
bool case_may_be_kernels(const struct judge_case *k);

/* facts.c: programs and packages, gathered for all processes at once. 0 or -ENOMEM. */
int facts_gather(struct judge *j);
/* Those of one case that a rule needs and that are not there yet. 0 or -ENOMEM. */
int facts_need(struct judge_case *k, uint32_t facts);
/* Puts a path to the package database, when all are; MAP_NONE = it is none. 0 or -ENOMEM. */
int facts_ask(struct judge *j, struct pv_bytes path, uint32_t *ret_query);
/* When the process started, seconds since 1970; 0 = unknown. */
uint64_t subject_started(const struct judge *j, const struct subject *subject);
/* The package of a path that was asked for: empty = none. */
struct pv_bytes facts_package(const struct judge *j, const char *path, size_t len);
/* Is the running file the one at its path, and that of a package? */
bool program_is_packaged(const struct program *p);
/* ... and one whose package explains what it does? */
bool program_is_explained(const struct program *p);
bool program_path_is_shell(const struct pv_bytes *path);
struct pv_bytes program_name(const struct program *p); /* the last part of its path */

/* disk.c: files by their path. The paths may be a user's: they are asked for with a deadline. */
struct disk_file {
	uint64_t device, inode;
	uint32_t mode, uid;
	bool is_elf;
};
/* 0, -ENOENT, -ETIMEDOUT, -ENODATA (not in the recording) or -errno */
int disk_stat(struct judge *j, const char *path, struct disk_file *ret);
/* Does the result say that there is no such file? Others only say that nobody could look. */
bool disk_is_absent(int result);
/* The first folder above the path that everybody may write to; empty = none. */
int disk_open_folder(struct judge *j, int32_t pid, const struct pv_bytes *path, bool is_elsewhere,
		     struct pv_bytes *ret_folder);
/* MD5 in hexadecimal: of the file that runs, and what its package says. 0 or -errno. */
int disk_digest(struct judge *j, const struct program *p, char ret_hex[static 33]);
/* The same of a file as the process sees it at that path. */
int disk_digest_seen(struct judge *j, int32_t pid, const struct pv_bytes *path,
		     char ret_hex[static 33]);
int disk_wanted_digest(struct judge *j, const struct pv_bytes *package, const struct pv_bytes *path,
		       char ret_hex[static 33]);
/* Appends /etc/ld.so.preload; 0 or -errno. */
int disk_read_preload(struct buf *b);

/* hiding.c, shells.c, kernel.c: facts about the host, gathered once. 0 or -ENOMEM. */
int hiding_gather(struct judge *j);
int shells_gather(struct judge *j);
int kernel_gather(struct judge *j);
/* libraries.c: what holders have loaded, before packages are asked; 0 or -ENOMEM */
int libraries_gather(struct judge *j);
/* Forgets those of programs that no package explains, when packages have been asked. */
void libraries_drop(struct judge *j);
/* Sets subject->library. */
void libraries_judge(struct judge *j, struct subject *subject);
/* How a process is hidden; NULL = it is not. */
const char *hiding_of(const struct judge *j, int32_t pid);
/*
 * The process that holds the socket below a mount: *ret_pid; false = none does. Where it was not
 * possible to look there it may be any process over whose entry something is mounted:
 * *ret_is_proven is false.
 */
bool hiding_holder(const struct judge *j, uint32_t inode, int32_t *ret_pid, bool *ret_is_proven);
/* fed.c: pure: takes the list that shells_gather() made; 0 or -ENOMEM */
int shells_parse(struct judge *j, const char *data, size_t len);
/* A shell whose input comes from the process, and through what; or NULL. */
const struct shell *shells_fed_by(struct judge *j, struct subject *subject,
				  const char **ret_channel);
/* Who uses this socket of the kernel, or NULL. */
const struct kernel_use *kernel_use_of(const struct judge *j, const struct pv_conversation *c);

/* rules_follow.c: rows by what FOLLOW rules look for. 0 or -ENOMEM. */
int follow_index(struct judge *j);

/* rules_*.c */
#define RULE(name, id, severity, scope, facts, test, ...) RULE_TEST_##scope(test)
#define RULE_TEST_POLICY(test)
#define RULE_TEST_PROGRAM(test) rule_test test;
#define RULE_TEST_SOCKET(test) rule_test test;
#define RULE_TEST_FOLLOW(test) rule_test test;
#include "model/rules.def"
#undef RULE

bool bytes_start(const struct pv_bytes *b, const char *text);
bool bytes_equal(const struct pv_bytes *a, const struct pv_bytes *b);

#endif
