#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In a lab kernel: runs the suite in each of the named situations, and leaves what came of it for the host to judge.
# usage: guest.sh SITUATION...
set -u
small="thread process --trials 1 --iterations 300"

# kept NAME [WRAPPER...] -- RUN'S ARGUMENTS
kept() {
	dir=$ACTIVEMM_LAB_RESULTS/$1
	wrapper=
	shift
	while [ "$1" != -- ]; do wrapper="$wrapper $1" && shift; done
	shift
	mkdir "$dir"
	# shellcheck disable=SC2086 # words
	timeout 100 $wrapper activemm run "$@" -o "$dir/set" >"$dir/out" 2>"$dir/err"
	echo $? >"$dir/status"
}

# group NAME FILE=VALUE...: a control group of version 2 with these settings.
group() {
	mkdir -p /cg
	grep -q " /cg " /proc/mounts || mount -t cgroup2 none /cg || return 1
	for controller in cpu memory pids cpuset; do echo "+$controller" >/cg/cgroup.subtree_control; done
	mkdir "/cg/$1"
	procs=/cg/$1/cgroup.procs
	shift
	for setting; do echo "${setting#*=}" >"${procs%/*}/${setting%%=*}" || return 1; done
}
cat >/bin/inside <<'END'
#!/bin/sh
echo $$ >"$1" && shift && exec "$@"
END
chmod +x /bin/inside

# shellcheck disable=SC2086 # words
for situation; do
	case $situation in
	plain) kept plain -- $small ;;
	isolated) kept isolated -- $small --cpu 1 ;;
	quota) group quota "cpu.max=10000 100000" && kept quota inside "$procs" -- thread --trials 1 --iterations 300 ;;
	memory) group memory memory.max=14M && kept memory inside "$procs" -- thread process:pages=4096 --trials 1 --iterations 200 ;;
	pids) group pids pids.max=2 && kept pids inside "$procs" -- thread --trials 1 --iterations 200 ;;
	cpuset) group cpuset cpuset.cpus=0 && kept cpuset inside "$procs" -- thread shootdown --trials 1 --iterations 100 ;;
	design) # Emulated switches are slow, and the tick's threads come in between.
		for _ in 1 2 3 4; do
			rm -rf "$ACTIVEMM_LAB_RESULTS/design"
			kept design -- interposed --trials 1 --iterations 60
			! grep -q "by design" "$dir/err" || break
		done
		;;
	scenarios) kept scenarios -- thread process idle refcount --trials 1 --iterations 800 ;;
	esac
done
true
