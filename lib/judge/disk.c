/* SPDX-License-Identifier: MIT */
/*
 * Files by their path. Where a program lies is its user's choice, and may be a file system that
 * never answers: such paths are walked by a thread with a deadline, and after a few that did not
 * answer no more are. What is recorded is the answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/crypto_api.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/fdio.h"
#include "judge/judge-internal.h"
#include "procfs/text.h"

#define DEADLINE_MS 500
#define MISSES_MAX 3
#define PRELOAD_FILE "/etc/ld.so.preload"
#define PRELOAD_MAX 65536

/* A question that a thread may be left behind with. */
struct disk_job {
	char path[PATH_MAX], root[32], folder[PATH_MAX];
	bool wants_folder, wants_digest;
	struct disk_file file;
	char digest[33];
};

static int stat_file(const char *path, struct disk_file *ret)
{
	struct statx st;

	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
		  STATX_TYPE | STATX_MODE | STATX_INO | STATX_UID, &st) < 0)
		return -errno;
	*ret = (struct disk_file){ .device = makedev(st.stx_dev_major, st.stx_dev_minor),
				   .inode = st.stx_ino,
				   .mode = st.stx_mode,
				   .uid = st.stx_uid };
	return 0;
}

static bool is_elf(const char *path)
{
	_cleanup_(cleanup_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char magic[4];

	return fd >= 0 && read(fd, magic, 4) == 4 && !memcmp(magic, "\177ELF", 4);
}

static int hash_fd(const struct crypto_api *api, EVP_MD_CTX *md5, int fd)
{
	uint8_t chunk[65536];
	ssize_t n;

	if (api->EVP_DigestInit_ex2(md5, api->EVP_md5(), NULL) != 1)
		return -EOPNOTSUPP;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		if (api->EVP_DigestUpdate(md5, chunk, (size_t)n) != 1)
			return -EIO;
	return n < 0 ? -errno : 0;
}

static int digest_fd(int fd, char ret_hex[static 33])
{
	const struct crypto_api *api = crypto_api();
	uint8_t digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *md5;
	unsigned n = 0;
	int r;

	if (!api)
		return -ELIBACC;
	md5 = api->EVP_MD_CTX_new();
	r = md5 ? hash_fd(api, md5, fd) : -ENOMEM;

	if (r == 0 && (api->EVP_DigestFinal_ex(md5, digest, &n) != 1 || n != 16))
		r = -EIO;
	for (size_t i = 0; r == 0 && i < n; i++)
		snprintf(ret_hex + 2 * i, 3, "%02x", digest[i]);
	api->EVP_MD_CTX_free(md5);
	return r;
}

/* In the file tree of the process, links included. */
static int digest_seen(const struct disk_job *job, char ret_hex[static 33])
{
	_cleanup_(cleanup_fd) int root = open(job->root, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
				.resolve = RESOLVE_IN_ROOT };
	struct stat st;

	if (root < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, root, job->path, &how, sizeof(how));
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? digest_fd(fd, ret_hex) : -EINVAL;
}

/* From the root down: the first folder that everybody may write to. */
static int find_folder(struct disk_job *job, const char *root)
{
	char path[PATH_MAX + sizeof(job->root)];
	struct disk_file file;
	size_t start = strlen(root);
	int r;

	if (snprintf(path, sizeof(path), "%s%s", root, job->path) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	for (char *slash = strchr(path + start + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		r = stat_file(path, &file);
		if (r < 0)
			return r;
		if (S_ISDIR(file.mode) && file.mode & S_IWOTH) {
			snprintf(job->folder, sizeof(job->folder), "%s", path + start);
			return 0;
		}
		*slash = '/';
	}
	return 0;
}

static int answer(void *data)
{
	struct disk_job *job = data;
	int r;

	if (job->wants_digest)
		return digest_seen(job, job->digest);
	if (!job->wants_folder)
		return stat_file(job->path, &job->file);
	r = find_folder(job, "");
	return job->folder[0] || !job->root[0] ? r : find_folder(job, job->root);
}

/* Folders that only root fills, on the disks the host itself runs from. */
static bool is_host_path(const char *path)
{
	static const char *const roots[] = { "/usr/", "/bin/", "/sbin/", "/lib", "/etc/" };

	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++)
		if (!strncmp(path, roots[i], strlen(roots[i])))
			return true;
	return false;
}

/* *job is freed unless the result is >= 0 or the work's own. */
static int ask(struct judge *j, struct disk_job **job)
{
	int r;

	if (is_host_path((*job)->path) && !(*job)->wants_folder && !(*job)->wants_digest)
		return answer(*job);
	if (j->n_disk_misses >= MISSES_MAX)
		return -ETIMEDOUT;
	r = deadline_run(answer, free, *job, DEADLINE_MS);
	if (r == -ETIMEDOUT || r == -EAGAIN) {
		*job = NULL;
		j->n_disk_misses++;
	}
	return r;
}

static int new_job(const char *path, size_t len, struct disk_job **ret)
{
	if (len >= PATH_MAX || len == 0 || path[0] != '/')
		return -ENOENT;
	*ret = calloc(1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	memcpy((*ret)->path, path, len);
	return 0;
}

static int key_of(struct buf *key, const char *kind, const char *path)
{
	buf_puts(key, kind);
	buf_puts(key, path);
	return buf_str(key) ? 0 : -ENOMEM;
}

/* "DEVICE INODE MODE UID ELF" or "-ERRNO" */
static int parse_stat(const struct pv_bytes *value, struct disk_file *ret)
{
	struct text t = text_of(value->data, value->len);
	uint32_t number, elf;
	struct disk_file file = { 0 };

	if (!value->len)
		return -ENODATA;
	if (*t.p == '-') {
		t.p++;
		return text_u32(t, 10, &number) && number && number < 4096 ? -(int)number
									   : -EBADMSG;
	}
	if (!text_word_u64(&t, 10, &file.device) || !text_word_u64(&t, 10, &file.inode) ||
	    !text_word_u32(&t, 10, &file.mode) || !text_word_u32(&t, 10, &file.uid) ||
	    !text_word_u32(&t, 10, &elf))
		return -EBADMSG;
	file.is_elf = elf;
	*ret = file;
	return 0;
}

int disk_stat(struct judge *j, const char *path, struct disk_file *ret)
{
	_cleanup_(cleanup_buf) struct buf key = BUF_INIT;
	_cleanup_(cleanup_free) struct disk_job *job = NULL;
	struct pv_bytes value;
	char text[96];
	int r = key_of(&key, "stat ", path);

	if (r < 0)
		return r;
	if (recall_get(&j->recall, buf_str(&key), &value))
		return parse_stat(&value, ret);
	r = new_job(path, strlen(path), &job);
	if (r == 0)
		r = ask(j, &job);
	if (r == 0) {
		*ret = job->file;
		ret->is_elf = S_ISREG(ret->mode) && is_host_path(path) && is_elf(path);
		snprintf(text, sizeof(text), "%" PRIu64 " %" PRIu64 " %u %u %d", ret->device,
			 ret->inode, ret->mode, ret->uid, ret->is_elf);
	} else {
		snprintf(text, sizeof(text), "%d", r);
	}
	recall_put(&j->recall, buf_str(&key), text, strlen(text));
	return r;
}

bool disk_is_absent(int result)
{
	return result == -ENOENT || result == -ENOTDIR;
}

static int open_folder(struct judge *j, int32_t pid, const struct pv_bytes *path, bool is_elsewhere,
		       struct buf *ret)
{
	_cleanup_(cleanup_free) struct disk_job *job = NULL;
	int r = new_job(path->data, path->len, &job);

	if (r < 0)
		return r;
	job->wants_folder = true;
	if (is_elsewhere)
		snprintf(job->root, sizeof(job->root), "/proc/%d/root", pid);
	r = ask(j, &job);
	if (job && job->folder[0]) {
		buf_puts(ret, job->folder);
		r = 0;
	}
	/* folders above a deleted program may be gone, too: there is nothing to see */
	return disk_is_absent(r) ? 0 : r;
}

/* Programs of one folder have the same folders above them; only the first is asked about. */
static int open_folder_once(struct judge *j, int32_t pid, const struct pv_bytes *path,
			    bool is_elsewhere, struct buf *ret)
{
	const char *slash = memrchr(path->data, '/', path->len);
	struct pv_bytes above = { path->data, slash ? (uint32_t)(slash - path->data) : 0 };

	if (is_elsewhere)
		return open_folder(j, pid, path, is_elsewhere, ret);
	if (!j->has_above || !bytes_equal(&above, &j->above)) {
		buf_clear(&j->above_folder);
		j->above_result = open_folder(j, pid, path, is_elsewhere, &j->above_folder);
		j->above = above;
		j->has_above = true;
	}
	buf_put(ret, j->above_folder.data, j->above_folder.len);
	return buf_error(&j->above_folder) < 0 ? -ENOMEM : j->above_result;
}

int disk_open_folder(struct judge *j, int32_t pid, const struct pv_bytes *path, bool is_elsewhere,
		     struct pv_bytes *ret_folder)
{
	_cleanup_(cleanup_buf) struct buf key = BUF_INIT, folder = BUF_INIT;
	struct pv_bytes value;
	int r = 0;

	buf_puts(&key, is_elsewhere ? "folder elsewhere " : "folder ");
	buf_put(&key, path->data, path->len);
	if (!buf_str(&key))
		return -ENOMEM;
	*ret_folder = (struct pv_bytes){ 0 };
	/* "?" = could not be told, "=FOLDER" = this one, "=" = none */
	if (recall_get(&j->recall, buf_str(&key), &value)) {
		if (!value.len || *value.data != '=')
			return -ENODATA;
		return snapshot_bytes(j->s, ret_folder, value.data + 1, value.len - 1);
	}
	buf_putc(&folder, '=');
	r = open_folder_once(j, pid, path, is_elsewhere, &folder);
	if (buf_error(&folder) < 0)
		return -ENOMEM;
	recall_put(&j->recall, buf_str(&key), r < 0 ? "?" : folder.data, r < 0 ? 1 : folder.len);
	return r < 0 ? r : snapshot_bytes(j->s, ret_folder, folder.data + 1, folder.len - 1);
}

int disk_read_preload(struct buf *b)
{
	int r = file_read_at(AT_FDCWD, PRELOAD_FILE, b);

	return r < 0 ? r : b->len > PRELOAD_MAX ? -EFBIG : 0;
}

/* --- digests --- */

/* By way of the process: the file that runs, if the process still runs it. */
static int digest_program(const struct program *p, char ret_hex[static 33])
{
	_cleanup_(cleanup_fd) int fd = -1;
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/exe", p->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != p->device || st.st_ino != p->inode || !S_ISREG(st.st_mode))
		return -ESTALE;
	return digest_fd(fd, ret_hex);
}

static int parse_digest(const struct pv_bytes *value, char ret_hex[static 33])
{
	if (value->len != 32)
		return -ENODATA;
	memcpy(ret_hex, value->data, 32);
	ret_hex[32] = 0;
	return 0;
}

int disk_digest(struct judge *j, const struct program *p, char ret_hex[static 33])
{
	_cleanup_(cleanup_buf) struct buf key = BUF_INIT;
	struct pv_bytes value;
	int r;

	buf_printf(&key, "md5 of %" PRIu64 " %" PRIu64, p->device, p->inode);
	if (!buf_str(&key))
		return -ENOMEM;
	if (recall_get(&j->recall, buf_str(&key), &value))
		return parse_digest(&value, ret_hex);
	r = digest_program(p, ret_hex);
	recall_put(&j->recall, buf_str(&key), ret_hex, r < 0 ? 0 : 32);
	return r;
}

static int ask_digest(struct judge *j, int32_t pid, const struct pv_bytes *path,
		      char ret_hex[static 33])
{
	_cleanup_(cleanup_free) struct disk_job *job = NULL;
	int r = new_job(path->data, path->len, &job);

	if (r < 0)
		return r;
	/* loaded here, not by a thread that may be left behind */
	if (!crypto_api())
		return -ELIBACC;
	job->wants_digest = true;
	snprintf(job->root, sizeof(job->root), "/proc/%d/root", pid);
	r = ask(j, &job);
	if (r == 0)
		memcpy(ret_hex, job->digest, sizeof(job->digest));
	return r;
}

int disk_digest_seen(struct judge *j, int32_t pid, const struct pv_bytes *path,
		     char ret_hex[static 33])
{
	_cleanup_(cleanup_buf) struct buf key = BUF_INIT;
	struct pv_bytes value;
	int r;

	buf_printf(&key, "md5 seen by %d ", pid);
	buf_put(&key, path->data, path->len);
	if (!buf_str(&key))
		return -ENOMEM;
	if (recall_get(&j->recall, buf_str(&key), &value))
		return parse_digest(&value, ret_hex);
	r = ask_digest(j, pid, path, ret_hex);
	recall_put(&j->recall, buf_str(&key), ret_hex, r < 0 ? 0 : 32);
	return r;
}

int disk_wanted_digest(struct judge *j, const struct pv_bytes *package, const struct pv_bytes *path,
		       char ret_hex[static 33])
{
	_cleanup_(cleanup_buf) struct buf key = BUF_INIT;
	const struct package_provider *provider;
	struct pv_bytes value;
	int r;

	buf_puts(&key, "md5 wanted ");
	buf_put(&key, path->data, path->len);
	if (!buf_str(&key))
		return -ENOMEM;
	if (recall_get(&j->recall, buf_str(&key), &value))
		return parse_digest(&value, ret_hex);
	provider = packages_provider("");
	r = provider ? provider->digest("", package, path, ret_hex) : -ENOENT;
	recall_put(&j->recall, buf_str(&key), ret_hex, r < 0 ? 0 : 32);
	return r;
}
