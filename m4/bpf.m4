# SPDX-License-Identifier: GPL-2.0-or-later
# ACTIVEMM_CHECK_BPF: what the BPF programs of `watch' and `explain' need to be built. With
# --without-bpf, or where something is missing, both commands fall back to perf events.
AC_DEFUN([ACTIVEMM_CHECK_BPF], [
	have_bpf=no
	AS_IF([test "x$with_bpf" != xno], [
		missing_bpf=
		PKG_CHECK_MODULES([LIBBPF], [libbpf >= 1.0], [], [missing_bpf="$missing_bpf libbpf-dev"])
		AC_PATH_PROGS([BPF_CLANG], [clang clang-20 clang-19 clang-18 clang-17 clang-16 clang-15 clang-14])
		# Distributions keep bpftool where only root looks.
		AC_PATH_PROG([BPFTOOL], [bpftool], [], [$PATH$PATH_SEPARATOR/usr/sbin$PATH_SEPARATOR/sbin])
		AS_IF([test -z "$BPFTOOL"], [missing_bpf="$missing_bpf bpftool"])
		# Headers of the multiarch kind are not on clang's path when it compiles for BPF.
		bpf_arch=`$CC -print-multiarch 2>/dev/null`
		BPF_CPPFLAGS=
		AS_IF([test -n "$bpf_arch" && test -d "/usr/include/$bpf_arch"],
			[BPF_CPPFLAGS="-idirafter /usr/include/$bpf_arch"])
		AC_SUBST([BPF_CPPFLAGS])
		AS_IF([test -z "$BPF_CLANG"], [missing_bpf="$missing_bpf clang"], [
			AC_MSG_CHECKING([whether $BPF_CLANG compiles for BPF])
			cat >conftest.c <<_ACEOF
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
int probe(void *context) { return bpf_get_smp_processor_id(); }
_ACEOF
			AS_IF([$BPF_CLANG -g -O2 -target bpf $BPF_CPPFLAGS -c conftest.c -o conftest.$OBJEXT 2>&AS_MESSAGE_LOG_FD],
				[AC_MSG_RESULT([yes])],
				[AC_MSG_RESULT([no])
				 missing_bpf="$missing_bpf libbpf-dev-and-linux-libc-dev"])
			rm -f conftest.c conftest.$OBJEXT])
		AS_IF([test -z "$missing_bpf"], [have_bpf=yes],
			[test "x$with_bpf" = xyes], [AC_MSG_ERROR([--with-bpf needs:$missing_bpf])],
			[AC_MSG_NOTICE([building without BPF, as these are missing:$missing_bpf])])])
	AS_IF([test "x$have_bpf" = xyes],
		[AC_DEFINE([HAVE_BPF], [1], [Define if the BPF programs are built.])])
	AM_CONDITIONAL([HAVE_BPF], [test "x$have_bpf" = xyes])])
