/* SPDX-License-Identifier: GPL-2.0-or-later */
/* task_struct.flags, also the ninth field of /proc/PID/stat. */
#ifndef LIB_SWITCHES_KERNEL_FLAGS_H
#define LIB_SWITCHES_KERNEL_FLAGS_H

#define PF_EXITING 0x00000004
#define PF_KTHREAD 0x00200000

#endif
