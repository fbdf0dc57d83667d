// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fnmatch.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/machine/record-private.h"
#include "lib/base/member.h"

extern char **environ;

/* Options that change what a switch does or costs. */
static const char *const options[] = {
	"AIO",
	"BPF_SYSCALL",
	"BROADCAST_TLB_FLUSH",
	"DEBUG_INFO_BTF",
	"DEBUG_VM",
	"HZ",
	"IRQ_TIME_ACCOUNTING",
	"LRU_GEN",
	"LRU_GEN_ENABLED",
	"MITIGATION_PAGE_TABLE_ISOLATION",
	"MMU_LAZY_TLB_REFCOUNT",
	"MMU_LAZY_TLB_SHOOTDOWN",
	"NO_HZ",
	"NO_HZ_*",
	"PAGE_TABLE_ISOLATION",
	"PARAVIRT",
	"PARAVIRT_*",
	"PREEMPT",
	"PREEMPT_*",
	"PREEMPTION",
	"RSEQ",
	"SCHEDSTATS",
	"SCHED_MM_CID",
	"TRANSPARENT_HUGEPAGE",
	"TRANSPARENT_HUGEPAGE_*",
};

static bool matters(const char *name)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (!fnmatch(options[i], name, 0))
			return true;
	return false;
}

/* One line of a kernel config into @config. */
static void config_line(json_t *config, const char *line)
{
	char name[128], value[128];

	if (sscanf(line, "CONFIG_%127[A-Za-z0-9_]=%127[^\n]", name, value) == 2) {
		size_t len = strlen(value);

		if (len > 1 && value[0] == '"' && value[len - 1] == '"') {
			value[len - 1] = '\0';
			memmove(value, value + 1, len - 1);
		}
	} else if (sscanf(line, "# CONFIG_%127[A-Za-z0-9_] is not set", name) == 1) {
		strcpy(value, "n");
	} else {
		return;
	}
	if (matters(name))
		member_set(config, name, member_string(value));
}

static json_t *config_parse(FILE *f, const char *source)
{
	json_t *config = json_object();
	char line[1024];

	while (fgets(line, sizeof(line), f))
		config_line(config, line);
	if (!json_object_size(config)) {
		json_decref(config);
		return NULL;
	}
	member_set(config, "source", member_string(source));
	return config;
}

static json_t *config_plain(const char *path)
{
	char *full = machine_path(path);
	FILE *f = full ? fopen(full, "re") : NULL;
	json_t *config = f ? config_parse(f, path) : NULL;

	if (f)
		fclose(f);
	free(full);
	return config;
}

/* gzip as a child: one file a run does not warrant a library. */
static json_t *config_gzip(char *full)
{
	char *argv[] = { (char *)"gzip", (char *)"-dc", full, NULL };
	posix_spawn_file_actions_t actions;
	json_t *config = NULL;
	int fd[2], err, status;
	pid_t pid;
	FILE *f;

	if (pipe(fd))
		return machine_unavailable("/proc/config.gz: %s", strerror(errno));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addclose(&actions, fd[0]);
	posix_spawn_file_actions_adddup2(&actions, fd[1], STDOUT_FILENO);
	posix_spawn_file_actions_addclose(&actions, fd[1]);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", 1, 0);
	err = posix_spawnp(&pid, "gzip", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(fd[1]);
	if (err) {
		close(fd[0]);
		return machine_unavailable("/proc/config.gz: gzip: %s", strerror(err));
	}
	f = fdopen(fd[0], "r");
	if (f) {
		config = config_parse(f, "/proc/config.gz");
		fclose(f);
	} else {
		close(fd[0]);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return config ? config : machine_unavailable("/proc/config.gz: gzip cannot read it");
}

static json_t *config_read(const char *release)
{
	static const char *const places[] = { "/boot/config-%s", "/lib/modules/%s/config",
					      "/usr/lib/modules/%s/config" };
	json_t *config = NULL;
	char path[512], *full;

	for (size_t i = 0; release && !config && i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), places[i], release);
		config = config_plain(path);
	}
	if (config)
		return config;
	full = machine_path("/proc/config.gz");
	if (full && !access(full, R_OK))
		config = config_gzip(full);
	else
		config = machine_unavailable("neither /boot/config-%s nor /proc/config.gz is there",
					     release ? release : "*");
	free(full);
	return config;
}

json_t *machine_kernel(void)
{
	char *release = machine_text("/proc/sys/kernel/osrelease");
	json_t *kernel = json_object();

	member_set(kernel, "release", machine_text_json("/proc/sys/kernel/osrelease"));
	member_set(kernel, "version", machine_text_json("/proc/sys/kernel/version"));
	member_set(kernel, "cmdline", machine_text_json("/proc/cmdline"));
	member_set(kernel, "config", config_read(release));
	free(release);
	return kernel;
}
