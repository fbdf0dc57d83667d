// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "lib/base/member.h"
#include "lib/results/node.h"

#define DRAWN 12 /* hexadecimal digits of a container's name */

const char *node_host(const json_t *machine)
{
	const char *host = member_text(machine, "host");

	return strlen(host) == DRAWN && strspn(host, "0123456789abcdef") == DRAWN ? "" : host;
}

const char *node_model(const json_t *machine)
{
	const char *model = member_text(json_object_get(machine, "cpu"), "model");

	return *model ? model : "unknown CPU";
}

const char *node_architecture(const json_t *machine)
{
	/* Only x86 has a vendor in /proc/cpuinfo. */
	if (*member_text(json_object_get(machine, "cpu"), "vendor"))
		return "x86";
	if (!strncmp(node_model(machine), "Arm ", 4) || !strncmp(node_model(machine), "arm64 ", 6))
		return "arm64";
	return "";
}

void node_hardware(const json_t *machine, char *buf, size_t len)
{
	const char *board = member_text(json_object_get(machine, "dmi"), "product"),
		   *hypervisor = member_text(machine, "hypervisor");
	double cpus = member_number(json_object_get(machine, "topology"), "cpus");
	char count[32] = "";

	if (cpus > 0)
		snprintf(count, sizeof(count), ", %.0f CPU%s", cpus, cpus == 1 ? "" : "s");
	snprintf(buf, len, "%.80s%s%s%.60s%s%.40s", node_model(machine), count, *board ? ", " : "",
		 board, *hypervisor ? ", " : "", hypervisor);
}

void node_name(const json_t *machine, char *buf, size_t len)
{
	if (*node_host(machine))
		snprintf(buf, len, "%.100s", node_host(machine));
	else
		node_hardware(machine, buf, len);
}
