/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The version of the files of result sets, which each of their JSON texts names (results/schema/), and names that who writes and who
 * reads them share.
 */
#ifndef LIB_BASE_SCHEMA_H
#define LIB_BASE_SCHEMA_H

#define RESULT_SCHEMA 1

/*
 * The members of a trial's "speed_ns": the pieces of work beside its timed batches, as lib/machine/speed.h orders them, and the round
 * trips between them by the same mean.
 */
#define SPEED_NAMES "clock", "core", "exit"
#define SPEED_KINDS 3
#define SPEED_OF    "round-trip"

#endif
