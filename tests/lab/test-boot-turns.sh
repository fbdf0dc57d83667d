#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# scripts/boot-turns on machines in QEMU: a disk that outlives a reset, kexec from one Debian kernel to the other and back. A
# power cut comes in the middle; another machine has a side that does not come up. Counts are the result: times mean nothing here.
# shellcheck disable=SC2016,SC2034 # inner shells expand; shared with the lab's parts
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
readonly TIME_LIMIT=124
cache=${XDG_CACHE_HOME:-$HOME/.cache}/activemm-bench
apt=$cache/apt
children=()
say() { echo "kernel-lab: $*" >>"$tmp/log"; }
fail() { shift && say "$*" && exit 1; }
# shellcheck source-path=SCRIPTDIR source=../../scripts/lab/arch.sh
. "$top/scripts/lab/arch.sh"
# shellcheck source-path=SCRIPTDIR source=../../scripts/lab/cross.sh
. "$top/scripts/lab/cross.sh"
# shellcheck source-path=SCRIPTDIR source=../../scripts/lab/kernels.sh
. "$top/scripts/lab/kernels.sh"
# shellcheck source-path=SCRIPTDIR source=../../scripts/lab/guest.sh
. "$top/scripts/lab/guest.sh"
# shellcheck source-path=SCRIPTDIR source=../../scripts/lab/boot.sh
. "$top/scripts/lab/boot.sh"

# kexec(8) into the cache, as its package would change how the machine reboots; bullseye's wants libc alone.
find_kexec() {
	kexec=$cache/kexec/kexec
	[ ! -x "$kexec" ] || return 0
	mkdir -p "$tmp/kexec" "$cache/kexec"
	(cd "$tmp/kexec" && lab_apt apt-get -qq download kexec-tools/bullseye && dpkg-deb -x kexec-tools_*.deb .) >>"$tmp/log" 2>&1 &&
		cp "$tmp/kexec/sbin/kexec" "$kexec.$$" && mv "$kexec.$$" "$kexec" && return
	say "kexec-tools cannot be had: $(tail -n 1 "$tmp/log")"
	return 1
}

find_image() { # KERNEL: sets release, image
	read -r release image < <("$top/scripts/kernel-lab" fetch --install "$1" 2>&1 | tee -a "$tmp/log" | sed -n 's/^kernel-lab: \([^ ]*\) (.*): \(.*\)/\1 \2/p')
	[ -n "${image:-}" ]
}

# Plays init: what rc2.d starts; power off when boot-turns has ended.
write_machine_init() {
	cat >"$tree/sbin/init" <<'END'
#!/bin/sh
export PATH=/bin:/sbin HOME=/root TERM=dumb ACTIVEMM_LAB_ACCEL=tcg
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mount -t tracefs tracefs /sys/kernel/tracing
echo "== up: $(uname -r), $(cat /proc/cmdline)"
for start in /etc/rc2.d/S*; do
	[ ! -x "$start" ] || "$start" start
done
if [ -e /first ]; then
	mv /first /first.done && sync
	sh /first.done </dev/null 2>&1 &
fi
until grep -q ^phase=ended /var/lib/activemm-bench/boot-turns/state 2>/dev/null; do sleep 0.3; done
boot-turns status
sync
poweroff -f
END
	printf '#!/bin/sh\nexec busybox reboot -f\n' >"$tree/sbin/reboot"
	chmod +x "$tree/sbin/init" "$tree/sbin/reboot"
}

# make_disk FILE COMMAND: a machine's disk, on which the command comes first
make_disk() {
	local name
	tree=$tmp/tree
	rm -rf "$tree"
	mkdir -p "$tree"/{bin,sbin,boot,dev,proc,sys,run,tmp,root,var/lib,etc/init.d,etc/rc2.d,suite/scripts}
	cp /bin/busybox "$tree/bin/busybox"
	for name in $(busybox --list); do
		case $name in
		reboot | init | busybox) ;;
		*) ln -s busybox "$tree/bin/$name" ;;
		esac
	done
	rm -f "$tree/bin/flock"
	add_file "$(command -v bash)" bin/bash
	add_file "$(command -v flock)" bin/flock
	add_file "$kexec" sbin/kexec
	add_file "$activemm" bin/activemm
	cp -r "$top/scripts/boot-turns" "$top/scripts/turns" "$top/scripts/lab" "$tree/suite/scripts/"
	ln -s /suite/scripts/boot-turns "$tree/bin/boot-turns"
	cp "$image_a" "$tree/boot/vmlinuz-$release_a"
	cp "$image_b" "$tree/boot/vmlinuz-$release_b"
	write_machine_init
	echo "$2" >"$tree/first"
	truncate -s 160M "$1"
	mke2fs -q -t ext4 -E lazy_itable_init=1 -d "$tree" "$1" >>"$tmp/log" 2>&1
}

# power_on DISK CONSOLE: the machine, whose boot loader's default is kernel A
power_on() {
	# shellcheck disable=SC2046 # words
	start_guest "$qemu" $(accel_arguments tcg) -nodefaults -no-user-config -display none -m 512 -smp 1 -serial "file:$2" \
		-drive "file=$1,format=raw,if=none,id=disk" -device nvme,serial=1,drive=disk -kernel "$image_a" \
		-append "console=ttyS0 root=/dev/nvme0n1 rw panic=5 no_timer_check mitigations=off quiet" 2>>"$tmp/log"
}

# power_cut CONSOLE PATTERN: when the console shows that
power_cut() {
	local end=$((SECONDS + 300))
	until grep -q "$2" "$1" 2>/dev/null; do
		kill -0 "$guest_pid" 2>/dev/null && [ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
	sleep 0.7
	kill -KILL "$guest_pid"
	wait "$guest_pid" 2>/dev/null
	children=()
}

inspect() { # DISK FOLDER: what is on the disk
	mkdir -p "$2"
	debugfs -R "rdump /sets $2" "$1" >>"$tmp/log" 2>&1
	debugfs -R "rdump /etc $2" "$1" >>"$tmp/log" 2>&1
	debugfs -R "cat /var/lib/activemm-bench/boot-turns/state" "$1" 2>/dev/null >"$2/state"
	cat "$2/sets/turns.log" >>"$tmp/log" 2>/dev/null
}

sees() { # WHAT COMMAND...
	local what=$1
	shift
	if "$@" >>"$tmp/log" 2>&1; then ok "$what"; else not_ok "$what"; fi
}
no_traces() { [ -d "$1/etc/init.d" ] && ! find "$1/etc" -name '*boot-turns*' | grep .; }
in_default() { tr -d '\r' <"$1" | grep '^== up: ' | tail -n 1 | grep -v activemm.turns; }

turns_with_power_cut() {
	local disk=$tmp/disk console=$tmp/console found=$tmp/found
	make_disk "$disk" "boot-turns --kernel $release_a --kernel $release_b --sessions 1 --settle 0 --activemm /bin/activemm -o /sets -- thread:handover=eventfd process:handover=eventfd --trials 1 --iterations 60"
	power_on "$disk" "$console.1"
	power_cut "$console.1" 'boot-turns: session 2 of 2: ' || { cat "$console.1" >>"$tmp/log"; not_ok "the second session begins"; return; }
	power_on "$disk" "$console.2"
	wait_guest 500
	inspect "$disk" "$found"
	cat "$console.2" >>"$tmp/log"
	sees "after a power cut in the second session it goes on, to the end" grep -qx 'phase=ended' "$found/state"
	sees "  the cut session was told and done again" sh -c 'grep -q "session 2 .*its session did not end" "$1/sets/turns.log" && grep -qx lost=1 "$1/state"' - "$found"
	sees "  a session of each kernel, in turns; counts are as claimed" judge_sessions "$found" "$release_a" "$release_b"
	sees "  the last boot is the default one" in_default "$console.2"
	sees "  a comparison ends it" grep -q '^7.* against 6.*: no count changed; times are not compared' "$found/sets/compare.txt"
	sees "  nothing of it starts at boot any more" no_traces "$found"
}

judge_sessions() { # FOUND RELEASE-A RELEASE-B
	python3 - "$@" <<'PY'
import glob, json, sys
found, a, b = sys.argv[1:]
order = next(line[6:].split() for line in open(found + "/state") if line.startswith("order="))
assert sorted(order) == ["A", "B"], order
sets = sorted(glob.glob(found + "/sets/session-*"))
assert [s[-1] for s in sets] == order, sets
for s in sets:
    machine = json.load(open(s + "/machine.json"))
    text = json.dumps(machine)
    assert {"A": a, "B": b}[s[-1]] in text, s
    assert "activemm.turns" in text, s
    for t in map(json.loads, open(s + "/trials.jsonl")):
        if t["valid"] and t["scenario"] in ("thread", "process"):
            n = t["round_trips"]["counted"]
            loads = t["counters"]["cr3-loads"]["value"]
            assert abs(loads - n * (2 if t["scenario"] == "process" else 0)) <= 8 + 0.005 * n, (s, t["scenario"], loads, n)
PY
}

one_side_does_not_come_up() {
	local disk=$tmp/disk console=$tmp/console.3 found=$tmp/found.3
	make_disk "$disk" "boot-turns --kernel $release_a --boot '' --boot 'root=/dev/nowhere panic=1' --sessions 1 --settle 0 --activemm /bin/activemm -o /sets -- thread:handover=eventfd --trials 1 --iterations 60"
	power_on "$disk" "$console"
	wait_guest 500
	inspect "$disk" "$found"
	cat "$console" >>"$tmp/log"
	sees "a side that does not come up ends it after three boots" sh -c 'grep -qx phase=ended "$1" && grep -qx lost=3 "$1" && grep -q "^outcome=3 boots in a row failed.*root=/dev/nowhere.*did not come up" "$1"' - "$found/state"
	sees "  and it was booted three times" [ "$(grep -c 'Unable to mount root' "$console")" = 3 ]
	sees "  the machine is back in its default kernel, and stays" in_default "$console"
	sees "  nothing of it starts at boot any more" no_traces "$found"
}

install='' refresh='' arch=amd64
: >"$tmp/log"
set_arch
for tool in mke2fs debugfs flock "$qemu" busybox; do
	command -v "$tool" >/dev/null && continue
	say "$tool is missing"
	skip "kernels that take turns over boots"
	exit 0
done
if ! find_image 6.12 || ! { release_a=$release image_a=$image; find_image newest; } || ! find_kexec; then
	skip "kernels that take turns over boots"
	exit 0
fi
release_b=$release image_b=$image
turns_with_power_cut
# Seven boots of one kernel: of the oldest, where it is, which is up in half of the time.
! find_image oldest || release_a=$release image_a=$image
one_side_does_not_come_up
