#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The watch in other kernels: lab.sh [KERNEL...], from the build folder. Needs the kernel lab's tools.
source=$(cd "$(dirname "$0")/../.." && pwd)
status=0

[ $# -gt 0 ] || set -- oldest 6.1 6.12 newest
for kernel; do
	echo "$kernel:"
	"$source/scripts/kernel-lab" boot "$kernel" --cpus 2 --activemm "$PWD/activemm" \
		--file "$PWD/activemm:/bin/activemm" --file "$PWD/tests/watch/workload:/bin/workload" \
		--file "$source/tests/watch/guest.sh:/bin/guest.sh" -- sh /bin/guest.sh activemm workload
	code=$?
	case $code in
	0) echo "PASS: watch in $kernel" ;;
	3 | 77) echo "SKIP: watch in $kernel" ;;
	*) echo "FAIL: watch in $kernel (status $code)"; status=1 ;;
	esac
done
exit $status
