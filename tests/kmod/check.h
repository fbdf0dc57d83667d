/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the in-kernel tests share: a TAP line per check, sessions, and looking at the kernel. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "activemm_abi.h"

/* The CPU that sessions are pinned to; the parent stays on CPU 0. */
#define TEST_CPU 1

/* 1U << mode for each that the module has here. */
#if defined(__aarch64__)
#define MODES_HERE ((1U << ACTIVEMM_MODES) - 1 - (1U << ACTIVEMM_LEAVE))
#else
#define MODES_HERE ((1U << ACTIVEMM_MODES) - 1)
#endif

static inline bool mode_is_here(unsigned int mode)
{
	return MODES_HERE >> mode & 1;
}

/* Prints one TAP line; returns ok. */
bool check(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A TAP line for what this kernel does not have. */
void check_skip(const char *what, const char *why);

/* A TAP comment. */
void check_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints the plan; returns the process's exit status: 0 when no check failed. */
int check_finish(void);

const char *mode_name(enum activemm_mode mode);

/* An open, set up session on cpu, or -errno. */
int session_open_on(enum activemm_mode mode, unsigned int cpu, pid_t pid);

/* ioctl(), as 0 or -errno. */
int call(int fd, unsigned long request, void *arg);

/* Pins the calling thread; -errno. */
int pin(unsigned int cpu);

/* A child that sleeps until it is killed; its address space is for mode isolated. */
pid_t sleeper_start(void);
void sleeper_stop(pid_t pid);

/* Runs body in a child pinned to cpu, kills it after 30 s; its exit status, or -1 if it had none. */
int in_child(unsigned int cpu, int (*body)(void *), void *arg);

/* The number of threads activemm/N there are; *last, if not NULL, gets the id of one. */
int kernel_threads(pid_t *last);

/* Waits up to 5 s for kernel_threads() to become n. */
bool await_kernel_threads(int n);

/* Marks the place in the kernel's log that log_complaint() starts to look at. */
void log_mark(void);

/* The first line since the mark that says something went wrong; NULL: none. */
const char *log_complaint(void);

void sleep_ms(unsigned int ms);

/* The groups of checks; each leaves no session open. */
void check_counts(void);
void check_reports(void);
void check_pace(void);
void check_errors(void);
void check_sharing(void);
void check_killed_owner(void);
void check_two_sessions(void);
void check_fuzz(unsigned int seed, unsigned int calls);
void check_hotplug(void);
void check_leaks(void);

#endif
