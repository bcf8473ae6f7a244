/* SPDX-License-Identifier: MIT */
/*
 * Network namespaces found in a procfs of our making, and what a recording of them says. Links of
 * processes lead nowhere there, which readlink does not mind; entering them is tried live.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "procfs/netns.h"

#define OWN 4026531840
#define DOCKER_ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* A folder with proc/ and names/, removed at the end. */
struct host {
	char dir[64], names[80];
	int fd;
};

static void put(const struct host *h, const char *path, const char *text)
{
	assert_int_equal(mkdir_parents_at(h->fd, path), 0);
	assert_int_equal(file_append_at(h->fd, path, text, strlen(text)), 0);
}

static void put_link(const struct host *h, const char *path, const char *to)
{
	assert_int_equal(mkdir_parents_at(h->fd, path), 0);
	assert_int_equal(symlinkat(to, h->fd, path), 0);
}

static void put_process(const struct host *h, int pid, uint64_t inode, const char *cgroup)
{
	char path[64], text[128];

	snprintf(path, sizeof(path), "proc/%d/ns/net", pid);
	snprintf(text, sizeof(text), "net:[%llu]", (unsigned long long)inode);
	put_link(h, path, text);
	snprintf(path, sizeof(path), "proc/%d/cgroup", pid);
	put(h, path, cgroup);
}

static struct host make_host(void)
{
	struct host h = { .dir = "/tmp/portavoz-netns-XXXXXX" };

	assert_non_null(mkdtemp(h.dir));
	h.fd = open(h.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(h.fd >= 0);
	snprintf(h.names, sizeof(h.names), "%s/names", h.dir);
	put(&h, "names/.keep", "");
	put(&h, "proc/self/mountinfo", "");
	return h;
}

static void remove_host(struct host *h)
{
	char command[128];

	close(h->fd);
	snprintf(command, sizeof(command), "rm -r '%s'", h->dir);
	assert_int_equal(system(command), 0);
}

static void mount_line(const struct host *h, uint64_t inode, const char *path)
{
	char line[512];

	snprintf(line, sizeof(line), "68 65 0:4 net:[%llu] %s rw shared:30 - nsfs nsfs rw\n",
		 (unsigned long long)inode, path);
	put(h, "proc/self/mountinfo", line);
}

static void list(const struct host *h, struct procfs_netns_list *l)
{
	struct tape t = TAPE_INIT;

	t.procfd = openat(h->fd, "proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(procfs_netns_list(&t, OWN, h->names, l), 0);
	close(t.procfd);
}

static void is(const struct procfs_netns *n, uint64_t inode, enum pv_netns_by by, const char *name,
	       int pid)
{
	assert_non_null(n);
	assert_int_equal(n->inode, inode);
	assert_int_equal(n->by, by);
	assert_string_equal(n->name, name);
	assert_int_equal(n->pid, pid);
}

static void each_is_found_once_by_its_best_name(void **state)
{
	struct host h = make_host();
	struct procfs_netns_list l;
	char path[160];

	(void)state;
	snprintf(path, sizeof(path), "%s/blue", h.names);
	mount_line(&h, 101, path);
	mount_line(&h, 101, path); /* as a shared mount has it twice */
	snprintf(path, sizeof(path), "%s/alias", h.names);
	mount_line(&h, 101, path);
	put(&h, "names/blue", "");
	put(&h, "names/alias", "");
	put(&h, "names/stale", "");
	mount_line(&h, 104, "/mnt/of\\040nobody");
	mount_line(&h, 102, "/run/docker/netns/0123");
	put(&h, "proc/self/mountinfo", "70 65 0:4 mnt:[105] /mnt/x rw - nsfs nsfs rw\n");
	put_process(&h, 1, OWN, "0::/init.scope\n");
	put_process(&h, 30, 102, "0::/system.slice/docker-" DOCKER_ID ".scope\n");
	put_process(&h, 31, 102, "0::/\n");
	put_process(&h, 40, 101, "0::/\n");
	put_process(&h, 50, 103, "0::/\n");
	put_process(&h, 60, 103, "0::/\n");
	list(&h, &l);

	assert_int_equal(l.items.n, 6);
	assert_int_equal(l.items.items[0].inode, OWN);
	is(&l.items.items[0], OWN, PV_NETNS_BY_PROCESS, "pid 1", 1);
	is(procfs_netns_get(&l, 101), 101, PV_NETNS_BY_NAME, "blue", 40);
	is(procfs_netns_get(&l, 102), 102, PV_NETNS_BY_CONTAINER, "0123456789ab", 30);
	assert_string_equal(procfs_netns_get(&l, 102)->container, DOCKER_ID);
	assert_string_equal(procfs_netns_get(&l, 102)->runtime, "docker");
	assert_string_equal(procfs_netns_get(&l, 102)->mount, "/run/docker/netns/0123");
	is(procfs_netns_get(&l, 103), 103, PV_NETNS_BY_PROCESS, "pid 50", 50);
	is(procfs_netns_get(&l, 104), 104, PV_NETNS_BY_MOUNT, "/mnt/of nobody", 0);
	assert_null(procfs_netns_get(&l, 105));
	is(&l.items.items[2], 0, PV_NETNS_BY_NAME, "stale", 0);
	assert_int_equal(l.n_denied, 0);
	procfs_netns_list_deinit(&l);
	remove_host(&h);
}

static void a_thread_that_moved_away_is_found(void **state)
{
	struct host h = make_host();
	struct procfs_netns_list l;

	(void)state;
	put_process(&h, 20, OWN, "0::/\n");
	put_link(&h, "proc/20/task/20/ns/net", "net:[4026531840]");
	put_link(&h, "proc/20/task/21/ns/net", "net:[201]");
	/* its first thread has exited: the link is not there */
	put_link(&h, "proc/70/task/71/ns/net", "net:[202]");
	put_link(&h, "proc/70/task/72/ns/net", "nothing");
	list(&h, &l);
	assert_int_equal(l.items.n, 3);
	is(procfs_netns_get(&l, 201), 201, PV_NETNS_BY_PROCESS, "pid 20", 20);
	assert_int_equal(procfs_netns_get(&l, 201)->tid, 21);
	is(procfs_netns_get(&l, 202), 202, PV_NETNS_BY_PROCESS, "pid 70", 70);
	procfs_netns_list_deinit(&l);
	remove_host(&h);
}

static void descriptors_add_what_nothing_else_leads_to(void **state)
{
	struct host h = make_host();
	struct procfs_netns_list l;

	(void)state;
	put_process(&h, 20, 301, "0::/\n");
	list(&h, &l);
	assert_int_equal(procfs_netns_add_descriptor(&l, 301, 20, 5, false), 1);
	assert_int_equal(procfs_netns_add_descriptor(&l, 302, 20, 6, false), 0);
	assert_int_equal(procfs_netns_add_descriptor(&l, 302, 20, 7, true), 1);
	is(procfs_netns_get(&l, 302), 302, PV_NETNS_BY_DESCRIPTOR, "pid 20 fd 6", 20);
	assert_int_equal(procfs_netns_add_path(&l, 302, "/x"), 1);
	assert_int_equal(procfs_netns_add_path(&l, 303, "/x"), 0);
	is(procfs_netns_get(&l, 303), 303, PV_NETNS_BY_MOUNT, "/x", 0);
	procfs_netns_list_deinit(&l);
	remove_host(&h);
}

/* What is opened is the namespace that was found, or nothing. */
static void only_the_one_that_was_found_is_opened(void **state)
{
	struct procfs_netns n = { .pid = getpid(), .fd = -1 };
	struct tape t = TAPE_INIT;
	uint64_t inode;
	int fd;

	(void)state;
	assert_int_equal(tape_open(&t, NULL, NULL), 0);
	assert_int_equal(procfs_netns_of(&t, getpid(), &inode), 0);
	n.inode = inode;
	fd = procfs_netns_open(&t, &n);
	assert_true(fd >= 0);
	close(fd);
	n.inode = inode + 1;
	assert_int_equal(procfs_netns_open(&t, &n), -ESTALE);
	n.inode = 0;
	assert_int_equal(procfs_netns_open(&t, &n), -ENXIO);
	n = (struct procfs_netns){ .inode = inode, .fd = -1, .mount = (char *)"/dev/null" };
	assert_int_equal(procfs_netns_open(&t, &n), -ESTALE);
	assert_int_equal(procfs_netns_at("/dev/null", &inode), -EINVAL);
	assert_int_equal(procfs_netns_at("/proc/self/ns/uts", &inode), -EINVAL);
	assert_int_equal(procfs_netns_of(&t, INT32_MAX, &inode), -ENOENT);
	tape_close(&t);
}

static void a_recording_says_the_same(void **state)
{
	struct host h = make_host();
	struct procfs_netns_list live, replayed;
	struct tape t = TAPE_INIT;
	char dir[96];

	(void)state;
	mount_line(&h, 401, "/mnt/a\\040b%-\\377");
	put_process(&h, 30, 402, "0::/system.slice/docker-" DOCKER_ID ".scope\n");
	put(&h, "names/-", "");
	snprintf(dir, sizeof(dir), "%s/recording", h.dir);
	assert_int_equal(tape_open(&t, dir, NULL), 0);
	close(t.procfd);
	t.procfd = openat(h.fd, "proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(procfs_netns_list(&t, OWN, h.names, &live), 0);
	tape_close(&t);

	assert_int_equal(tape_open(&t, NULL, dir), 0);
	assert_int_equal(procfs_netns_list(&t, OWN, "/nowhere", &replayed), 0);
	tape_close(&t);
	assert_int_equal(replayed.items.n, live.items.n);
	assert_int_equal(live.items.n, 4);
	for (size_t i = 0; i < live.items.n; i++) {
		const struct procfs_netns *a = &live.items.items[i], *b = &replayed.items.items[i];
		const char *const texts[][2] = { { a->name, b->name },
						 { a->mount, b->mount },
						 { a->runtime, b->runtime },
						 { a->container, b->container } };

		assert_int_equal(a->inode, b->inode);
		assert_int_equal(a->by, b->by);
		assert_int_equal(a->pid, b->pid);
		for (size_t k = 0; k < 4; k++)
			assert_true(texts[k][0] == texts[k][1] ||
				    !strcmp(texts[k][0], texts[k][1]));
	}
	procfs_netns_list_deinit(&live);
	procfs_netns_list_deinit(&replayed);
	remove_host(&h);
}

static void damaged_lists_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"1\n",
		"x\n1 1 0 a - - -\n",
		"0\n1 1 0 a - -\n",
		"0\n1 99 0 a - - -\n",
		"0\n1 1 -5 a - - -\n",
		"0\n1 1 0 a%2 - - -\n",
		"0\n1 1 0 a%00 - - -\n",
		"0\n1 1 0 a - - -\n1 1 0 b - - -\n",
	};
	struct procfs_netns_list l;
	uint64_t inode;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(procfs_netns_list_parse(bad[i], strlen(bad[i]), &l), -EBADMSG);
	assert_false(procfs_netns_link_parse("net:[", 5, &inode));
	assert_false(procfs_netns_link_parse("net:[]", 6, &inode));
	assert_false(procfs_netns_link_parse("uts:[1]", 7, &inode));
	assert_false(procfs_netns_link_parse("net:[1]x", 8, &inode));
	assert_true(procfs_netns_link_parse("net:[4026531840]", 16, &inode));
	assert_int_equal(inode, 4026531840);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_found_once_by_its_best_name),
		cmocka_unit_test(a_thread_that_moved_away_is_found),
		cmocka_unit_test(descriptors_add_what_nothing_else_leads_to),
		cmocka_unit_test(only_the_one_that_was_found_is_opened),
		cmocka_unit_test(a_recording_says_the_same),
		cmocka_unit_test(damaged_lists_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
