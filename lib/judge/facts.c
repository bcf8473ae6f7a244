/* SPDX-License-Identifier: MIT */
/*
 * Programs and their packages. Every path of the run is put to the package database at once,
 * because one pass over it answers them all.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "judge/judge-internal.h"
#include "procfs/text.h"

#define DELETED " (deleted)"
#define MEMFD "/memfd:"

bool bytes_start(const struct pv_bytes *b, const char *text)
{
	return b->len >= strlen(text) && !memcmp(b->data, text, strlen(text));
}

bool bytes_equal(const struct pv_bytes *a, const struct pv_bytes *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

static uint64_t hash_bytes(uint64_t h, const struct pv_bytes *b)
{
	for (uint32_t i = 0; i < b->len; i++)
		h = map_mix(h, (uint8_t)b->data[i]);
	return h;
}

/* --- what a program is --- */

struct pv_bytes program_name(const struct program *p)
{
	struct pv_bytes name = p->path;
	const char *slash = name.len ? memrchr(name.data, '/', name.len) : NULL;

	if (slash) {
		name.len -= (uint32_t)(slash + 1 - name.data);
		name.data = slash + 1;
	}
	return name;
}

static enum program_kind kind_of(const struct program *p)
{
	struct pv_bytes name = program_name(p);

	return kind_of_name(&name);
}

bool program_path_is_shell(const struct pv_bytes *path)
{
	return kind_of(&(struct program){ .path = *path }) == KIND_SHELL;
}

bool program_is_packaged(const struct program *p)
{
	return p->package.len && p->disk == DISK_SAME;
}

bool program_is_explained(const struct program *p)
{
	return program_is_packaged(p) && p->kind == KIND_PLAIN;
}

/* --- programs --- */

static bool ends_deleted(const struct pv_bytes *exe)
{
	const uint32_t n = sizeof(DELETED) - 1;

	return exe->len > n && !memcmp(exe->data + exe->len - n, DELETED, n);
}

/* A file may be called "x (deleted)": it is there, then, and has links. */
static bool is_deleted(struct judge *j, const struct pv_process *p)
{
	struct disk_file file;
	int r;

	if (!ends_deleted(&p->exe))
		return false;
	if (!(p->known & PV_PROCESS_EXE) || p->exe_links == 0)
		return true;
	r = disk_stat(j, p->exe.data, &file);
	return r < 0 ? disk_is_absent(r)
		     : file.device != p->exe_device || file.inode != p->exe_inode;
}

static void describe(struct judge *j, const struct pv_process *p, struct program *ret)
{
	*ret = (struct program){ .path = p->exe, .pid = p->pid, .query = MAP_NONE };
	ret->has_id = p->known & PV_PROCESS_EXE;
	ret->device = p->exe_device;
	ret->inode = p->exe_inode;
	ret->links = p->exe_links;
	ret->uid = p->exe_uid;
	ret->is_deleted = is_deleted(j, p);
	if (ret->is_deleted)
		ret->path.len -= sizeof(DELETED) - 1;
	ret->is_memory = ret->is_deleted && bytes_start(&p->exe, MEMFD);
	ret->kind = kind_of(ret);
}

static bool is_same(const struct program *a, const struct program *b)
{
	return a->has_id == b->has_id && a->device == b->device && a->inode == b->inode &&
	       a->is_deleted == b->is_deleted && bytes_equal(&a->path, &b->path);
}

static int enter_program(struct judge *j, struct subject *subject)
{
	struct program program;
	uint64_t key;
	uint32_t old;
	int r;

	describe(j, subject->p, &program);
	key = hash_bytes(map_mix(map_mix(program.device, program.inode), program.is_deleted),
			 &program.path);
	r = map_insert(&j->by_file, key, (uint32_t)j->programs.n, &old);
	if (r < 0)
		return r;
	/* names are anybody's: what only collides is a program of its own */
	if (r == 1 && is_same(&j->programs.items[old], &program)) {
		subject->program = old;
		return 0;
	}
	subject->program = (uint32_t)j->programs.n;
	return vec_push(&j->programs, program);
}

/* --- questions to the package database --- */

int facts_ask(struct judge *j, struct pv_bytes path, uint32_t *ret_index)
{
	struct package_query q = { .path = path };
	uint32_t old;
	int r;

	*ret_index = MAP_NONE;
	if (!path.len || path.data[0] != '/' || memchr(path.data, '\n', path.len))
		return 0;
	r = map_insert(&j->by_path, hash_bytes(1, &path), (uint32_t)j->queries.n, &old);
	if (r < 0)
		return r;
	if (r == 1 && bytes_equal(&j->queries.items[old].path, &path)) {
		*ret_index = old;
		return 0;
	}
	*ret_index = (uint32_t)j->queries.n;
	return vec_push(&j->queries, q);
}

struct pv_bytes facts_package(const struct judge *j, const char *path, size_t len)
{
	struct pv_bytes wanted = { path, (uint32_t)len };
	uint32_t i = map_get(&j->by_path, hash_bytes(1, &wanted));

	if (i == MAP_NONE || !bytes_equal(&j->queries.items[i].path, &wanted))
		return (struct pv_bytes){ 0 };
	return j->queries.items[i].package;
}

/* "-uB": are all of these letters among the flags? */
static bool are_flags(struct text word, const char *flags)
{
	if (text_len(word) < 2 || *word.p != '-')
		return false;
	for (word.p++; word.p < word.end; word.p++)
		if (!*word.p || !strchr(flags, *word.p))
			return false;
	return true;
}

/* The first argument that is no option, behind options that leave it a script. */
static struct pv_bytes script_of(const struct program *program, const struct pv_bytes *cmdline)
{
	struct text t = text_of(cmdline->data, cmdline->len), word;
	struct pv_bytes name = program_name(program);
	const char *flags = kind_flags(&name);

	text_until(&t, 0, &word);
	while (text_until(&t, 0, &word))
		if (!are_flags(word, flags))
			return (struct pv_bytes){ word.p, (uint32_t)text_len(word) };
	return (struct pv_bytes){ 0 };
}

/*
 * The file of a unit of the system manager, where packages put them; of an instance that of its
 * template. Empty for units of a user's manager, which anybody can make.
 */
static int unit_path(struct judge *j, const struct pv_process *p, struct pv_bytes *ret)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	const char *at, *dot;

	*ret = (struct pv_bytes){ 0 };
	if (!p->unit.len || p->unit.len > 255 || !bytes_start(&p->cgroup, "/system.slice/"))
		return 0;
	at = memchr(p->unit.data, '@', p->unit.len);
	dot = memrchr(p->unit.data, '.', p->unit.len);
	buf_puts(&b, "/usr/lib/systemd/system/");
	if (at && dot && at < dot) {
		buf_put(&b, p->unit.data, (size_t)(at + 1 - p->unit.data));
		buf_put(&b, dot, (size_t)(p->unit.data + p->unit.len - dot));
	} else {
		buf_put(&b, p->unit.data, p->unit.len);
	}
	if (buf_error(&b) < 0)
		return -ENOMEM;
	return snapshot_bytes(j->s, ret, b.data, b.len);
}

static int ask_script(struct judge *j, struct subject *subject)
{
	const struct program *program = &j->programs.items[subject->program];
	struct pv_bytes path;
	int r;

	if (program->kind != KIND_INTERPRETER && program->kind != KIND_SHELL)
		return 0;
	subject->script_path = script_of(program, &subject->p->cmdline);
	r = facts_ask(j, subject->script_path, &subject->script);
	if (r == 0)
		r = unit_path(j, subject->p, &path);
	return r < 0 ? r : facts_ask(j, path, &subject->unit);
}

/* Libraries of "NAME=a:b c" and of ld.so.preload: both separators count (ld.so(8)). */
static int ask_libraries(struct judge *j, struct pv_bytes list)
{
	const char *p = list.data, *end = p + list.len;

	while (p < end) {
		const char *start = p;
		uint32_t ignored;
		int r;

		while (p < end && !strchr(": \t\n=", *p))
			p++; /* strchr() finds NUL, too */
		r = facts_ask(j, (struct pv_bytes){ start, (uint32_t)(p - start) }, &ignored);
		if (r < 0)
			return r;
		p++;
	}
	return 0;
}

static int ask_subject(struct judge *j, struct subject *subject)
{
	int r = ask_libraries(j, subject->p->preload);

	if (r < 0 || subject->program == MAP_NONE)
		return r;
	r = ask_script(j, subject);
	return r;
}

static int ask_programs(struct judge *j)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < j->programs.n; i++) {
		struct program *p = &j->programs.items[i];

		if (!p->is_memory)
			r = facts_ask(j, p->path, &p->query);
	}
	return r;
}

/* --- answers --- */

static void key_of(const struct package_query *q, struct buf *key)
{
	buf_clear(key);
	buf_puts(key, "package ");
	buf_put(key, q->path.data, q->path.len);
}

/* "UNPACKED NAME", or nothing */
static int recall_query(struct judge *j, struct package_query *q, const struct pv_bytes *value)
{
	struct text t = text_of(value->data, value->len), name;
	uint64_t unpacked;

	if (!value->len || !text_word_u64(&t, 10, &unpacked) || !text_word(&t, &name))
		return 0;
	q->unpacked = unpacked;
	return snapshot_bytes(j->s, &q->package, name.p, text_len(name));
}

static int replay_queries(struct judge *j)
{
	_cleanup_(cleanup_buf) struct buf key = BUF_INIT;
	struct pv_bytes value;
	int r = 0;

	recall_get(&j->recall, "packages", &value);
	j->has_packages = value.len > 0;
	for (size_t i = 0; r == 0 && j->has_packages && i < j->queries.n; i++) {
		key_of(&j->queries.items[i], &key);
		if (!buf_str(&key))
			return -ENOMEM;
		recall_get(&j->recall, buf_str(&key), &value);
		r = recall_query(j, &j->queries.items[i], &value);
	}
	return r;
}

static int record_queries(struct judge *j)
{
	_cleanup_(cleanup_buf) struct buf key = BUF_INIT, value = BUF_INIT;

	for (size_t i = 0; i < j->queries.n; i++) {
		const struct package_query *q = &j->queries.items[i];

		key_of(q, &key);
		buf_clear(&value);
		if (q->package.len) {
			buf_u64(&value, q->unpacked);
			buf_putc(&value, ' ');
			buf_put(&value, q->package.data, q->package.len);
		}
		if (!buf_str(&key) || buf_error(&value) < 0)
			return -ENOMEM;
		recall_put(&j->recall, buf_str(&key), value.data, value.len);
	}
	return 0;
}

static int answer_queries(struct judge *j)
{
	const struct package_provider *provider;
	int r = 0;

	if (j->tape->mode == TAPE_REPLAY)
		return replay_queries(j);
	provider = packages_provider("");
	j->has_packages = provider != NULL;
	recall_put(&j->recall, "packages", provider ? provider->name : "",
		   provider ? strlen(provider->name) : 0);
	if (provider && j->queries.n)
		r = provider->find("", j->queries.items, j->queries.n, &j->s->arena);
	if (r < 0 && r != -ENOMEM) {
		j->has_packages = false;
		r = 0;
	}
	return r < 0 || j->tape->mode != TAPE_RECORD ? r : record_queries(j);
}

static enum disk_state compare(const struct program *p, int error, const struct disk_file *file)
{
	if (disk_is_absent(error))
		return DISK_ABSENT;
	if (error < 0 || !p->has_id)
		return DISK_UNKNOWN;
	return file->device == p->device && file->inode == p->inode ? DISK_SAME : DISK_OTHER;
}

static int take_answer(struct judge *j, struct program *p)
{
	const struct package_query *q = p->query == MAP_NONE ? NULL : &j->queries.items[p->query];
	struct disk_file file = { 0 };
	struct pv_bytes path;
	int r;

	if (q) {
		p->package = q->package;
		p->unpacked = q->unpacked;
	}
	if (p->kind == KIND_PLAIN)
		p->kind = kind_of_package(&p->package);
	/* a user's path is walked only when something depends on it */
	if (!p->package.len && !p->is_deleted)
		return 0;
	if (snapshot_bytes(j->s, &path, p->path.data, p->path.len) < 0)
		return -ENOMEM;
	r = path.len ? disk_stat(j, path.data, &file) : -ENOENT;
	if (r == -ENOMEM)
		return r;
	p->disk = compare(p, r, &file);
	return 0;
}

static int new_subjects(struct judge *j)
{
	const struct pv_snapshot *s = j->s;

	j->n_subjects = s->processes.n;
	j->subjects = calloc(s->processes.n + 1, sizeof(*j->subjects));
	if (!j->subjects)
		return -ENOMEM;
	for (size_t i = 0; i < j->n_subjects; i++) {
		struct subject *subject = &j->subjects[i];
		int r = 0;

		*subject = (struct subject){ .p = &s->processes.items[i],
					     .program = MAP_NONE,
					     .script = MAP_NONE,
					     .unit = MAP_NONE };
		if (subject->p->exe.len)
			r = enter_program(j, subject);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_preload_file(struct judge *j)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	if (recall_get(&j->recall, "ld.so.preload", &j->preload_file))
		return 0;
	if (disk_read_preload(&b) < 0)
		buf_clear(&b);
	recall_put(&j->recall, "ld.so.preload", b.data, b.len);
	return buf_error(&b) < 0 ? -ENOMEM : snapshot_bytes(j->s, &j->preload_file, b.data, b.len);
}

int facts_gather(struct judge *j)
{
	int r = new_subjects(j);

	if (r == 0)
		r = read_preload_file(j);
	if (r == 0)
		r = ask_libraries(j, j->preload_file);
	if (r == 0)
		r = ask_programs(j);
	for (size_t i = 0; r == 0 && i < j->n_subjects; i++)
		r = ask_subject(j, &j->subjects[i]);
	if (r == 0)
		r = libraries_gather(j);
	if (r == 0)
		r = answer_queries(j);
	for (size_t i = 0; r == 0 && i < j->programs.n; i++)
		r = take_answer(j, &j->programs.items[i]);
	if (r == 0)
		libraries_drop(j);
	return r;
}

/* --- facts of one program, on demand --- */

static int need_folder(struct judge *j, struct program *p)
{
	int r;

	if (p->has_folder || p->is_memory || program_is_packaged(p))
		return 0;
	p->has_folder = true;
	r = disk_open_folder(j, p->pid, &p->path, p->disk == DISK_OTHER && !p->is_deleted,
			     &p->folder);
	p->is_folder_unknown = r < 0;
	return r == -ENOMEM ? r : 0;
}

static int need_digest(struct judge *j, struct program *p)
{
	char wanted[33], found[33];
	int r;

	if (p->has_digest || !j->request->verify || !program_is_packaged(p))
		return 0;
	p->has_digest = true;
	r = disk_wanted_digest(j, &p->package, &p->path, wanted);
	if (r == 0)
		r = disk_digest(j, p, found);
	j->lacks_digest = j->lacks_digest || r == -ELIBACC;
	if (r == 0)
		p->digest = strcmp(wanted, found) == 0 ? DIGEST_SAME : DIGEST_DIFFERS;
	return r == -ENOMEM ? r : 0;
}

/* Of the script that a packaged interpreter was given, when a package of this host has its path. */
static int need_script_digest(struct judge_case *k)
{
	struct judge *j = k->j;
	struct subject *subject = k->subject;
	const struct package_query *script;
	char wanted[33], found[33];
	int r;

	if (subject->has_script_digest || !j->request->verify || subject->script == MAP_NONE ||
	    !k->program || !program_is_packaged(k->program) || subject->p->container.len)
		return 0;
	script = &j->queries.items[subject->script];
	if (!script->package.len)
		return 0;
	subject->has_script_digest = true;
	r = disk_wanted_digest(j, &script->package, &script->path, wanted);
	if (r == 0)
		r = disk_digest_seen(j, subject->p->pid, &script->path, found);
	j->lacks_digest = j->lacks_digest || r == -ELIBACC;
	if (r == 0)
		subject->script_digest = strcmp(wanted, found) == 0 ? DIGEST_SAME : DIGEST_DIFFERS;
	return r == -ENOMEM ? r : 0;
}

/* Is the case one that a shell could be behind? */
static bool may_feed_shell(const struct judge_case *k)
{
	return k->c && k->program && k->c->state != PV_STATE_LISTEN &&
	       (!program_is_explained(k->program) || k->c->direction == PV_DIR_OUTGOING) &&
	       pv_proto_is_inet((enum pv_proto)k->c->proto);
}

int facts_need(struct judge_case *k, uint32_t facts)
{
	struct judge *j = k->j;
	int r = 0;

	if (k->program && facts & FACT_FOLDER)
		r = need_folder(j, k->program);
	if (r == 0 && k->program && facts & FACT_DIGEST)
		r = need_digest(j, k->program);
	if (r == 0 && k->subject && facts & FACT_DIGEST)
		r = need_script_digest(k);
	if (k->subject && facts & FACT_LIBRARIES)
		libraries_judge(j, k->subject);
	if (r == 0 && facts & FACT_HIDING)
		r = hiding_gather(j);
	if (r == 0 && facts & FACT_SHELLS && may_feed_shell(k))
		r = shells_gather(j);
	if (r == 0 && facts & FACT_KERNEL && case_may_be_kernels(k))
		r = kernel_gather(j);
	return r;
}
