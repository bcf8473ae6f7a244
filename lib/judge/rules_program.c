/* SPDX-License-Identifier: MIT */
/* Rules about a process and the program it runs, whatever its sockets. */
#include <stdio.h>
#include <string.h>

#include "judge/judge-internal.h"
#include "procfs/text.h"

uint64_t subject_started(const struct judge *j, const struct subject *subject)
{
	const struct pv_clock *clock = pv_snapshot_clock(j->s);

	if (!clock->boot_time)
		return 0;
	return clock->boot_time + subject->p->start_ticks / PV_TICKS_PER_SECOND;
}

/* Upgraded by its package: what is there now was unpacked after the process had started. */
static bool is_upgraded(const struct judge_case *k)
{
	const struct program *p = k->program;
	uint64_t started;

	if (!p->package.len || p->disk != DISK_OTHER || !k->subject)
		return false;
	started = subject_started(k->j, k->subject);
	return started && p->unpacked >= started;
}

bool test_exe_memory(struct judge_case *k)
{
	return k->program && k->program->is_memory;
}

static bool is_gone(const struct judge_case *k)
{
	return k->program && k->program->is_deleted && !k->program->is_memory && !is_upgraded(k);
}

bool test_exe_replaced(struct judge_case *k)
{
	return is_gone(k) && k->program->disk == DISK_OTHER;
}

bool test_exe_deleted(struct judge_case *k)
{
	return is_gone(k) && k->program->disk != DISK_OTHER;
}

bool test_exe_upgraded(struct judge_case *k)
{
	return k->program && k->program->is_deleted && is_upgraded(k);
}

bool test_exe_world_writable(struct judge_case *k)
{
	if (!k->program || !k->program->folder.len)
		return false;
	case_say(k, "folder", k->program->folder);
	return true;
}

bool test_exe_modified(struct judge_case *k)
{
	const struct package_query *script;

	if (k->program && k->program->digest == DIGEST_DIFFERS)
		return true;
	if (!k->subject || k->subject->script_digest != DIGEST_DIFFERS)
		return false;
	script = &k->j->queries.items[k->subject->script];
	case_say(k, "exe", script->path);
	case_say(k, "package", script->package);
	return true;
}

/* --- packages --- */

/* Of the file tree of the host: containers have their own. */
static bool is_hosts(struct judge_case *k)
{
	const struct program *p = k->program;
	struct disk_file file;
	struct pv_bytes path;

	return p && p->has_id && p->path.len &&
	       snapshot_bytes(k->j->s, &path, p->path.data, p->path.len) == 0 &&
	       disk_stat(k->j, path.data, &file) == 0 && file.device == p->device &&
	       file.inode == p->inode;
}

/* Anybody may call a group of his own manager a container: there the file has to tell, too. */
static bool is_in_container(struct judge_case *k)
{
	const struct pv_bytes *container = &k->subject->p->container;

	if (!container->len)
		return false;
	return !memchr(container->data, '/', container->len) || !is_hosts(k);
}

/* Nothing else is in its memory but what packages brought. */
static bool is_whole(const struct judge_case *k)
{
	return k->subject->library_state < LIBRARY_LOCAL && k->subject->maps != MAPS_STRANGE;
}

bool test_package(struct judge_case *k)
{
	return k->program && program_is_explained(k->program) && !is_in_container(k) &&
	       is_whole(k) && k->program->digest == DIGEST_NONE;
}

bool test_package_verified(struct judge_case *k)
{
	return k->program && program_is_explained(k->program) && !is_in_container(k) &&
	       is_whole(k) && k->program->digest == DIGEST_SAME;
}

bool test_packaged_script(struct judge_case *k)
{
	const struct judge *j = k->j;
	const struct package_query *script, *unit;

	if (!k->program || !program_is_packaged(k->program) || k->program->kind == KIND_PLAIN ||
	    is_in_container(k) || !is_whole(k) || k->subject->script == MAP_NONE ||
	    k->subject->unit == MAP_NONE)
		return false;
	script = &j->queries.items[k->subject->script];
	unit = &j->queries.items[k->subject->unit];
	if (!script->package.len || !bytes_equal(&script->package, &unit->package))
		return false;
	case_say(k, "script", script->path);
	case_say(k, "unit", k->subject->p->unit);
	case_say(k, "package", script->package);
	return true;
}

bool test_exe_elsewhere(struct judge_case *k)
{
	return k->program && k->program->package.len && !k->program->is_deleted &&
	       (k->program->disk == DISK_OTHER || k->program->disk == DISK_ABSENT);
}

bool test_exe_unpackaged(struct judge_case *k)
{
	return k->program && k->j->has_packages && !k->program->package.len &&
	       !k->program->is_memory && !is_in_container(k);
}

bool test_generic_tool(struct judge_case *k)
{
	return k->program && program_is_packaged(k->program) && k->program->kind != KIND_PLAIN &&
	       !(k->so_far & RULE_BIT(RULE_packaged_script));
}

bool test_in_container(struct judge_case *k)
{
	if (!is_in_container(k))
		return false;
	case_say(k, "runtime", k->subject->p->runtime);
	case_say(k, "container", k->subject->p->container);
	return true;
}

/* --- names --- */

static bool is_kernel_name(const struct pv_bytes *name)
{
	static const char *const prefixes[] = {
		"kworker",
		"ksoftirqd",
		"kthreadd",
		"migration/",
		"rcu_",
		"rcuop/",
		"rcuos/",
		"kswapd",
		"khugepaged",
		"kcompactd",
		"kdevtmpfs",
		"oom_reaper",
		"kblockd",
		"kauditd",
		"khungtaskd",
		"ksmd",
		"kintegrityd",
		"irq/",
		"cpuhp/",
		"jbd2/",
		"scsi_eh_",
		"watchdogd",
		"idle_inject/",
		"kpsmoused",
		"kdmflush",
		"xfsaild/",
		"xfs-",
		"kdamond",
		"psimon",
		"pool_workqueue_",
		"kthrotld",
		"ata_sff",
		"edac-poller",
		"ipv6_addrconf",
		"scsi_tmf_",
		"inet_frag_wq",
		"mm_percpu_wq",
		"nvme-wq",
		"nvme-reset-wq",
		"btrfs-",
		"ext4-rsv-conver",
		"kcryptd",
		"dmcrypt_write",
		"kjournald",
		"nfsiod",
		"rpciod",
		"xprtiod",
		"slub_flushwq",
		"pdflush",
	};
	static const char *const names[] = { "hwrng", "nfsd", "lockd" };

	struct pv_bytes bare = *name;

	/* in the brackets that ps draws around them */
	if (bytes_start(name, "["))
		bare = (struct pv_bytes){ name->data + 1, name->len - 1 };
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (bytes_start(&bare, prefixes[i]))
			return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (bare.len == strlen(names[i]) && bytes_start(&bare, names[i]))
			return true;
	return false;
}

/* The first argument up to a space or colon, as daemons put their state behind it. */
static struct pv_bytes first_word(const struct pv_bytes *cmdline)
{
	uint32_t n = 0;

	while (n < cmdline->len && cmdline->data[n] && cmdline->data[n] != ' ' &&
	       cmdline->data[n] != ':')
		n++;
	return (struct pv_bytes){ cmdline->data, n };
}

static bool is_erased(const struct judge_case *k)
{
	const struct pv_bytes *cmdline = &k->subject->p->cmdline;

	/* a reason: the arguments may just not have been readable */
	if (k->subject->p->reason || program_is_explained(k->program))
		return false;
	for (uint32_t i = 0; i < cmdline->len; i++)
		if (cmdline->data[i])
			return false;
	return true;
}

bool test_fake_kernel_thread(struct judge_case *k)
{
	const struct pv_process *p = k->subject->p;
	struct pv_bytes word = first_word(&p->cmdline);

	/* only what has memory of its own has an executable */
	if (!k->program || !(p->known & PV_PROCESS_STAT) || p->known & PV_PROCESS_KERNEL)
		return false;
	return is_kernel_name(&p->comm) || is_kernel_name(&word) || bytes_start(&word, "[") ||
	       is_erased(k);
}

static struct pv_bytes last_part(struct pv_bytes path)
{
	const char *slash = path.len ? memrchr(path.data, '/', path.len) : NULL;

	if (slash) {
		path.len -= (uint32_t)(slash + 1 - path.data);
		path.data = slash + 1;
	}
	/* login shells have a dash before their name */
	if (path.len > 1 && *path.data == '-') {
		path.data++;
		path.len--;
	}
	return path;
}

/* Where users keep programs of their own; elsewhere a second build of a program is common. */
static bool is_users(const struct program *p)
{
	return p->uid != 0 || bytes_start(&p->path, "/home/") || bytes_start(&p->path, "/root/") ||
	       p->folder.len;
}

/* python3 is another name of python3.11. */
static bool is_own_name(const struct program *p, const struct pv_bytes *name)
{
	struct pv_bytes own = program_name(p);

	if (!name->len || own.len < name->len || memcmp(own.data, name->data, name->len) != 0)
		return false;
	for (uint32_t i = name->len; i < own.len; i++)
		if (!strchr("0123456789.-", own.data[i]))
			return false;
	return true;
}

/*
 * Is there a compiled program of that name, and is it another file? People keep builds of their own
 * of python and the like, under their names; the names of daemons (/usr/sbin) are another matter.
 */
static bool names_another(struct judge_case *k, const struct pv_bytes *name)
{
	static const char *const folders[] = { "/usr/sbin/", "/usr/lib/systemd/", "/usr/bin/" };
	const struct program *p = k->program;
	bool is_own = is_own_name(p, name);
	struct pv_bytes program;
	struct disk_file file;
	char path[96];

	if (!name->len || name->len > 64 || memchr(name->data, '/', name->len) ||
	    memchr(name->data, 0, name->len) || *name->data == '.')
		return false;
	if (is_own && !is_users(p))
		return false;
	for (size_t i = 0; i < (is_own ? 2 : 3); i++) {
		snprintf(path, sizeof(path), "%s%.*s", folders[i], (int)name->len, name->data);
		if (disk_stat(k->j, path, &file) < 0 || !file.is_elf)
			continue;
		if (file.device == p->device && file.inode == p->inode)
			return false;
		case_say(k, "name", *name);
		/* out of memory leaves the place empty */
		snapshot_bytes(k->j->s, &program, path, strlen(path));
		case_say(k, "program", program);
		return true;
	}
	return false;
}

/* Is the first argument the whole path of a compiled program of this host, and that another file?
 */
static bool claims_another(struct judge_case *k, const struct pv_bytes *word)
{
	const struct program *p = k->program;
	struct pv_bytes path, name = last_part(*word);
	struct disk_file file;

	if (!bytes_start(word, "/usr/") && !bytes_start(word, "/lib/"))
		return false;
	if ((is_own_name(p, &name) && !is_users(p)) ||
	    snapshot_bytes(k->j->s, &path, word->data, word->len) < 0 ||
	    disk_stat(k->j, path.data, &file) < 0 || !file.is_elf ||
	    (file.device == p->device && file.inode == p->inode))
		return false;
	case_say(k, "name", name);
	case_say(k, "program", path);
	return true;
}

static bool is_packaged_multicall(const struct program *p)
{
	struct pv_bytes name = program_name(p);

	return program_is_packaged(p) && kind_is_multicall(&name);
}

/*
 * A packaged program that does what its package says may rename itself: it is known by its file.
 * Deleted ones have lost theirs, which a rule of its own says.
 */
bool test_imitates_program(struct judge_case *k)
{
	const struct pv_process *p = k->subject->p;
	struct pv_bytes word = first_word(&p->cmdline);

	if (!k->program || !k->program->has_id || program_is_explained(k->program) ||
	    is_packaged_multicall(k->program) || k->program->disk == DISK_OTHER ||
	    is_in_container(k))
		return false;
	if (claims_another(k, &word))
		return true;
	word = last_part(word);
	return names_another(k, &p->comm) || names_another(k, &word);
}

/* --- libraries --- */

/* The first library of a list that is of no package. */
static bool find_library(struct judge_case *k, struct pv_bytes list, struct pv_bytes *ret)
{
	const char *p = list.data, *end = p + list.len;

	while (p < end) {
		const char *start = p;
		struct pv_bytes package;

		while (p < end && !strchr(": \t\n", *p))
			p++;
		/* without a slash the loader takes it from the system's folders */
		if (p > start && memchr(start, '/', (size_t)(p - start))) {
			package = facts_package(k->j, start, (size_t)(p - start));
			*ret = (struct pv_bytes){ start, (uint32_t)(p - start) };
			if (!package.len)
				return true;
		}
		p++;
	}
	return false;
}

static bool preloads(struct judge_case *k, struct pv_bytes *ret_library, struct pv_bytes *ret_name)
{
	struct text t = text_of(k->subject->p->preload.data, k->subject->p->preload.len), word;

	while (text_until(&t, 0, &word)) {
		const char *equals = memchr(word.p, '=', text_len(word));
		struct pv_bytes list;

		if (!equals)
			continue;
		*ret_name = (struct pv_bytes){ word.p, (uint32_t)(equals - word.p) };
		list = (struct pv_bytes){ equals + 1, (uint32_t)(word.end - equals - 1) };
		if (find_library(k, list, ret_library))
			return true;
	}
	return false;
}

/* The mapped library that is worst, when it is as bad as that. */
static const struct library *mapped(const struct judge_case *k, enum library_state state)
{
	const struct subject *subject = k->subject;

	if (!k->program || !k->j->has_packages || !program_is_packaged(k->program) ||
	    subject->library_state != state)
		return NULL;
	return &k->j->libraries.items[subject->library];
}

static const char *where_text(const struct library *lib)
{
	return lib->is_memory	 ? "found in its memory, and there is no file of it"
	       : lib->is_deleted ? "found in its memory, and the file is deleted"
				 : "found in its memory";
}

bool test_foreign_library(struct judge_case *k)
{
	const struct library *lib = mapped(k, LIBRARY_LOCAL);

	if (!lib)
		return false;
	case_say(k, "library", lib->path);
	case_text(k, "state",
		  lib->is_unseen    ? "of no package and could not be looked at"
		  : lib->is_deleted ? "deleted since packages were last changed"
				    : "of no package");
	return true;
}

bool test_preloaded_library(struct judge_case *k)
{
	const struct library *lib = mapped(k, LIBRARY_FOREIGN);
	struct pv_bytes library, name;

	if (!k->program || !k->j->has_packages)
		return false;
	if (preloads(k, &library, &name)) {
		case_say(k, "library", library);
		case_say(k, "variable", name);
		return true;
	}
	if (find_library(k, k->j->preload_file, &library)) {
		case_say(k, "library", library);
		case_text(k, "variable", "/etc/ld.so.preload");
		return true;
	}
	if (!lib)
		return false;
	case_say(k, "library", lib->path);
	case_text(k, "variable", where_text(lib));
	return true;
}
