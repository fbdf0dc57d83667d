// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/counters/pidns.h"
#include "lib/counters/tracefs.h"

#define INITIAL_INODE 0xeffffffcu /* PROC_PID_INIT_INO, include/linux/proc_ns.h */
#define RING_PAGES    1

/* signal:signal_generate, sampled on the calling thread. */
struct echo {
	int fd;
	struct perf_event_mmap_page *meta;
	size_t page;
	int sig, pid; /* offsets in the raw record */
};

bool pidns_is_initial(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) || st.st_ino == INITIAL_INODE;
}

bool pidns_proc_is_own(void)
{
	char text[16];
	ssize_t n = readlink("/proc/self", text, sizeof(text) - 1);

	if (n < 0)
		return true;
	text[n] = '\0';
	return strtol(text, NULL, 10) == getpid();
}

int pidns_refuse(const char *what, struct error *e)
{
	return error_set(e, ENOTSUP,
			 "%s: this is a PID namespace, and the kernel's events name tasks by the "
			 "initial one's numbers: run it outside (containers: --pid=host)",
			 what);
}

static void echo_close(struct echo *echo)
{
	if (echo->meta)
		munmap(echo->meta, (1 + RING_PAGES) * echo->page);
	if (echo->fd >= 0)
		close(echo->fd);
}

static int echo_open(struct echo *echo, struct error *e)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_TRACEPOINT,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_RAW,
	};
	int id = tracepoint_id("signal", "signal_generate", e);
	void *map;

	*echo = (struct echo){ .fd = -1, .page = (size_t)sysconf(_SC_PAGESIZE) };
	echo->sig = tracepoint_field("signal", "signal_generate", "sig", e);
	echo->pid = tracepoint_field("signal", "signal_generate", "pid", e);
	if (id < 0 || echo->sig < 0 || echo->pid < 0)
		return -ENOENT;
	attr.config = (uint64_t)id;
	echo->fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (echo->fd < 0)
		return error_set(e, errno, "signal:signal_generate: %s", strerror(errno));
	map = mmap(NULL, (1 + RING_PAGES) * echo->page, PROT_READ | PROT_WRITE, MAP_SHARED,
		   echo->fd, 0);
	if (map == MAP_FAILED)
		return error_set(e, errno, "no ring buffer for signal:signal_generate: %s",
				 strerror(errno));
	echo->meta = map;
	return 0;
}

/* The number in the newest record of a SIGURG, or 0; empties the ring. */
static pid_t echo_read(struct echo *echo)
{
	const char *data = (const char *)echo->meta + echo->page;
	uint64_t head = __atomic_load_n(&echo->meta->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = echo->meta->data_tail, size = RING_PAGES * echo->page;
	pid_t found = 0;

	while (tail < head) {
		struct perf_event_header h;
		char record[256];
		const char *raw = record + sizeof(h) + sizeof(uint32_t);
		int sig;

		/* Records are multiples of eight bytes: a header never wraps, what follows it may. */
		memcpy(&h, data + tail % size, sizeof(h));
		if (h.size < sizeof(h))
			break;
		for (size_t i = 0; i < h.size && i < sizeof(record); i++)
			record[i] = data[(tail + i) % size];
		tail += h.size;
		if (h.type != PERF_RECORD_SAMPLE || h.size > sizeof(record))
			continue;
		memcpy(&sig, raw + echo->sig, sizeof(sig));
		if (sig == SIGURG)
			memcpy(&found, raw + echo->pid, sizeof(found));
	}
	__atomic_store_n(&echo->meta->data_tail, head, __ATOMIC_RELEASE);
	return found;
}

int pidns_numbers(const pid_t *tasks, unsigned int n, pid_t *numbers, struct error *e)
{
	struct echo echo;
	int rc;

	memcpy(numbers, tasks, n * sizeof(*tasks));
	if (pidns_is_initial())
		return 0;
	rc = echo_open(&echo, e);
	for (unsigned int i = 0; i < n && !rc; i++) {
		if (syscall(SYS_tkill, tasks[i], SIGURG))
			rc = error_set(e, errno, "task %d: %s", (int)tasks[i], strerror(errno));
		else if (!(numbers[i] = echo_read(&echo)))
			rc = error_set(e, EPROTO, "task %d: no event", (int)tasks[i]);
	}
	echo_close(&echo);
	return rc ? pidns_refuse("foreign tasks cannot be told from own ones", e) : 0;
}
