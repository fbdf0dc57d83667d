/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the machine record share, and the test's way to show them another machine. */
#ifndef LIB_MACHINE_RECORD_PRIVATE_H
#define LIB_MACHINE_RECORD_PRIVATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* CPUID registers in the order eax, ebx, ecx, edx; false where the leaf does not exist. */
typedef bool (*machine_cpuid_fn)(uint32_t leaf, uint32_t subleaf, uint32_t regs[4]);

/*
 * Reads /proc, /sys and /boot below @root instead of / (NULL: the running machine), and asks @cpuid instead of the CPU
 * (NULL with a root: no CPUID at all, since the CPU is not the recorded one). @root must outlive its use.
 */
void machine_set_root(const char *root, machine_cpuid_fn cpuid);

bool machine_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4]);

/* Full name of @path (absolute) below the root, malloc'ed. */
char *machine_path(const char *path);

/* Text of a file without its last newline, malloc'ed; NULL with errno if it cannot be read. */
char *machine_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What of @machine's settings makes times on @cpu less steady: an array of lines. New reference. */
json_t *machine_warnings(const json_t *machine, int cpu);

json_t *machine_unavailable(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A file as a JSON string or integer, or {"unavailable": why}. */
json_t *machine_text_json(const char *path);
json_t *machine_int_json(const char *path);

/* Does the list of words @text hold @word? NULL text holds nothing. */
bool machine_has_word(const char *text, const char *word);

json_t *machine_kernel(void); /* release, version, command line, config */
json_t *machine_cpu(void); /* model, microcode, flags, TLB sizes */
json_t *machine_hypervisor(void); /* "none" or its name */
const char *machine_accelerator(void);

#endif
