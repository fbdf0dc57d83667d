#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the inner shells expand
# scripts/test where it cannot do its work: one line that says what is missing and how to get it. And what the lab has of a guest that did not end.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)

# What a guest shipped until it was killed, and all of it.
lab=$tmp/lab
mkdir -p "$lab/results" && echo all >"$lab/results/trials.jsonl" && tar -C "$lab" -czf "$lab/tgz" results
received() { # FILE: into $lab/out
	rm -rf "$lab/out"
	cp "$1" "$lab/shipped" && tmp=$lab bash -c '. "$1/scripts/lab/boot.sh" && receive' - "$top"
}
printf '/lab/out/results/machine.json\t{"n":1}\n/lab/out/results/trials.jsonl\t{"t":1}\n/lab/out/results/machine.json\t{"n":2}\n/lab/out/results/x/trials.jsonl\t{"t":3}\n/lab/out/results/../trials.jsonl\tout\n/lab/out/results/trials.jsonl\t{"t":2}\n/lab/out/results/trials.jsonl\t{"t"' >"$lab/killed"
received "$lab/killed"
check "of a guest that was killed the trials that had ended are there" sh -c 'cd "$1/out" && [ "$(find . -type f | wc -l)" = 3 ] && [ "$(cat results/machine.json results/trials.jsonl results/x/trials.jsonl | tr -d "\n")" = "{\"n\":2}{\"t\":1}{\"t\":2}{\"t\":3}" ]' - "$lab"
(cat "$lab/killed" && printf '\nactivemm-lab %s %s\n' "$(wc -c <"$lab/tgz")" "$(sha256sum <"$lab/tgz" | cut -d ' ' -f 1)" && cat "$lab/tgz") >"$lab/ended"
received "$lab/ended"
check "  and of one that ended, what it packed" sh -c 'cd "$1/out" && [ "$(find . -type f)" = ./results/trials.jsonl ] && [ "$(cat results/trials.jsonl)" = all ]' - "$lab"
head -c -1 "$lab/ended" >"$lab/cut"
received "$lab/cut"
check "  of which every byte has to be there" grep -qx '{"t":2}' "$lab/out/results/trials.jsonl"

# A signal in the middle of a guest, played by a program that ships a trial and goes on; the image is a header.
python3 - "$lab/bzImage" <<'PY'
import sys
b = bytearray(4096)
b[0x202:0x206], b[0x20e:0x210], b[0x800:0x809] = b"HdrS", (0x600).to_bytes(2, "little"), b"9.9-made\0"
open(sys.argv[1], "wb").write(b)
PY
cat >"$lab/qemu-system-x86_64" <<'END'
#!/bin/sh
case $1 in --version) echo played && exit ;; esac
for word; do case $word in file:*/shipped) shipped=${word#file:} ;; esac; done
printf '/lab/out/results/trials.jsonl\t{"t":1}\n' >"$shipped"
exec sleep 60
END
chmod +x "$lab/qemu-system-x86_64"
if ! command -v cpio >/dev/null || ! [ -e /bin/busybox ] || [ "$(uname -m)" != x86_64 ]; then
	skip "a signal to the kernel lab: it wants busybox and cpio, on x86"
else
	for signal in INT:130 TERM:143; do
		set=$lab/stopped-$signal
		# Jobs in the background ignore INT, but not in a session of their own.
		PATH=$lab:$PATH python3 -c 'import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])' \
			"$top/scripts/kernel-lab" run "$lab/bzImage" --accel tcg --module none --activemm /bin/true -o "$set" >"$tmp/out" 2>"$tmp/err" &
		pid=$!
		for _ in $(seq 200); do ! grep -qs t "${TMPDIR:-/tmp}"/activemm-lab.$pid.*/shipped || break; sleep 0.05; done
		kill -"${signal%:*}" $pid
		wait $pid
		status=$?
		check "a kernel lab that SIG${signal%:*} stops keeps the trials that had ended, and says so" sh -c \
			'[ "$1" = "${2#*:}" ] && grep -qx "{\"t\":1}" "$3/trials.jsonl" && grep -q "stopped by a signal" "$4" && grep -q "had ended are in $3" "$4"' - "$status" "$signal" "$set" "$tmp/err"
		check "  and leaves nothing else" sh -c '! ls -d "${TMPDIR:-/tmp}"/activemm-lab.$1.* 2>/dev/null && ! pgrep -P $1' - $pid
	done
fi

command -v apt-get >/dev/null || { skip "a bare machine: no apt-get here" && exit 0; }
# A machine with a shell's usual tools and apt-get, and nothing else.
mkdir "$tmp/bare"
for tool in bash env dirname mkdir id printf sed grep sort tr cat nproc tail cut apt-get python3; do
	ln -s "$(command -v $tool)" "$tmp/bare/$tool" || exit 1
done
bare() { # [WRAPPER...] -- OPTIONS...
	local wrapper=()
	while [ "$1" != -- ]; do wrapper+=("$1") && shift; done
	shift
	"${wrapper[@]}" env PATH="$tmp/bare" ACTIVEMM_TEST_BUILD="$tmp/build" "$top/scripts/test" "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
}
bare -- --no-install
check "on a bare machine the tests end with what nothing goes without" grep -q "^scripts/test: missing (no test goes without): .*autoconf.*gcc.*; install: apt-get install .*gcc" "$tmp/err"
check "  one line, and another for what some want" [ "$(wc -l <"$tmp/err")" = 2 ]
check "  status 1, and the closing line" sh -c '[ "$1" = 1 ] && [ "$(tail -n 1 "$2")" = "0 passed, 1 failed, 0 skipped" ]' - "$status" "$tmp/out"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && [ -r "$top/scripts/test" ]; then
	chmod 755 "$tmp"
	if setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$top/scripts/test"; then
		rm -rf "$tmp/build" && mkdir "$tmp/build" && chown 65534 "$tmp/build"
		bare setpriv --reuid=65534 --regid=65534 --clear-groups --
		check "a user without sudo is told what to run as root" grep -q "(no test goes without): .* there is no sudo here, so as root: apt-get install .*gcc" "$tmp/err"
		check "  and nothing else is tried" [ "$(wc -l <"$tmp/err")" = 2 ]
	else
		skip "a user without sudo: others may not read $top"
	fi
else
	skip "a user without sudo: needs root and setpriv"
fi
bare -- --nosuch
check "an unknown option is named, status 2" sh -c '[ "$1" = 2 ] && grep -q "unknown option --nosuch" "$2"' - "$status" "$tmp/err"
bare -- --list --only lab/
check "--only chooses by a part of the name" sh -c '[ "$1" = 0 ] && grep -q "^lab/test-kernels" "$2" && ! grep -qv "^lab/" "$2"' - "$status" "$tmp/out"
mkdir "$tmp/a space" && ln -s "$top/scripts" "$top/tests" "$tmp/a space/"
"$tmp/a space/scripts/test" --no-install --list >"$tmp/out" 2>"$tmp/err"
check "a path that make cannot take is one clear line" sh -c '[ "$1" = 1 ] && [ "$(wc -l <"$2")" = 1 ] && grep -q "no path with a space" "$2"' - $? "$tmp/err"
true
