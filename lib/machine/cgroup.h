/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control groups of this process, of both versions. */
#ifndef LIB_MACHINE_CGROUP_H
#define LIB_MACHINE_CGROUP_H

/*
 * Calls @visit with the folder of this process's group, and of each of its parents that is shown here, in the hierarchy of
 * @controller (version 1) and in the one of version 2.
 */
void cgroup_each(const char *controller, void (*visit)(const char *dir, void *ctx), void *ctx);

#endif
