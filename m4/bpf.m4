# SPDX-License-Identifier: GPL-2.0-or-later
# ACTIVEMM_CHECK_BPF: what the BPF programs of `watch' and `explain' need to be built. With
# --without-bpf, or where something is missing, both commands fall back to perf events.
AC_DEFUN([ACTIVEMM_CHECK_BPF], [
	have_bpf=no
	AS_IF([test "x$with_bpf" != xno], [
		missing_bpf=
		PKG_CHECK_MODULES([LIBBPF], [libbpf >= 1.0], [have_libbpf=yes], [have_libbpf=no])
		AS_IF([test $have_libbpf = no], [missing_bpf="$missing_bpf libbpf-dev (1.0 or newer)"])
		AC_PATH_PROGS([BPF_CLANG], [clang clang-22 clang-21 clang-20 clang-19 clang-18 clang-17 clang-16 clang-15 clang-14])
		# Headers of the multiarch kind are not on clang's path when it compiles for BPF.
		bpf_arch=`$CC -print-multiarch 2>/dev/null`
		BPF_CPPFLAGS=
		AS_IF([test -n "$bpf_arch" && test -d "/usr/include/$bpf_arch"],
			[BPF_CPPFLAGS="-idirafter /usr/include/$bpf_arch"])
		AC_SUBST([BPF_CPPFLAGS])
		can_compile=no
		AS_IF([test -z "$BPF_CLANG"], [missing_bpf="$missing_bpf clang"], [test $have_libbpf = yes], [
			AC_MSG_CHECKING([whether $BPF_CLANG compiles for BPF])
			cat >conftest.c <<_ACEOF
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char LICENSE[[]] SEC("license") = "GPL";
SEC("raw_tp") int probe(void *context) { return bpf_get_smp_processor_id(); }
_ACEOF
			AS_IF([$BPF_CLANG -g -O2 -target bpf $BPF_CPPFLAGS -c conftest.c -o conftest.bpf.o 2>&AS_MESSAGE_LOG_FD],
				[can_compile=yes],
				[missing_bpf="$missing_bpf a clang that compiles for BPF ($BPF_CLANG does not: config.log)"])
			AC_MSG_RESULT([$can_compile])])
		# Ubuntu's is a wrapper that wants the tools of the running kernel; those of any will do. Distributions keep
		# bpftool where only root looks.
		bpftool_failed=
		bpftool_path=$PATH$PATH_SEPARATOR/usr/sbin$PATH_SEPARATOR/sbin
		for bpftool_dir in /usr/lib/linux-tools/* /usr/lib/linux-tools-*; do
			test ! -x "$bpftool_dir/bpftool" || bpftool_path=$bpftool_path$PATH_SEPARATOR$bpftool_dir
		done
		AS_IF([test $can_compile = yes], [
			AC_CACHE_CHECK([for a bpftool that works], [ac_cv_path_BPFTOOL],
				[AC_PATH_PROGS_FEATURE_CHECK([BPFTOOL], [bpftool],
					[AS_IF([$ac_path_BPFTOOL gen skeleton conftest.bpf.o name conftest_bpf >conftest.skel.h 2>&AS_MESSAGE_LOG_FD &&
						grep conftest_bpf__open conftest.skel.h >/dev/null],
						[ac_cv_path_BPFTOOL=$ac_path_BPFTOOL ac_path_BPFTOOL_found=:],
						[bpftool_failed=$ac_path_BPFTOOL])],
					[ac_cv_path_BPFTOOL=no], [$bpftool_path])])
			AC_SUBST([BPFTOOL], [$ac_cv_path_BPFTOOL])
			AS_IF([test "x$BPFTOOL" != xno], [],
				[test -n "$bpftool_failed"], [missing_bpf="$missing_bpf a bpftool that works ($bpftool_failed fails: config.log)"],
				[missing_bpf="$missing_bpf bpftool"])], [
			AC_PATH_PROG([ANY_BPFTOOL], [bpftool], [], [$bpftool_path])
			AS_IF([test -z "$ANY_BPFTOOL"], [missing_bpf="$missing_bpf bpftool"])])
		rm -f conftest.c conftest.bpf.o conftest.skel.h
		AS_IF([test -z "$missing_bpf"], [have_bpf=yes],
			[test "x$with_bpf" = xyes], [AC_MSG_ERROR([--with-bpf needs:$missing_bpf])],
			[AC_MSG_WARN([building without BPF (explain and watch then know less), missing:$missing_bpf])])])
	AS_IF([test "x$have_bpf" = xyes],
		[AC_DEFINE([HAVE_BPF], [1], [Define if the BPF programs are built.])])
	AM_CONDITIONAL([HAVE_BPF], [test "x$have_bpf" = xyes])])
