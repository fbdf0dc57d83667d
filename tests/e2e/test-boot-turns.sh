#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the stand-ins and inner shells expand
# scripts/boot-turns against boot loaders: a machine of files, whose commands are stand-ins that do to the files what the real ones
# do, and a `boot' that reads them as GRUB, systemd-boot and kexec would. tests/lab has the same with real kernels.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
bin=$tmp/bin
mkdir "$bin"
export PATH=$bin:$PATH

stand_in() { # NAME: the script comes on standard input
	{ echo '#!/bin/bash' && cat; } >"$bin/$1"
	chmod +x "$bin/$1"
}
stand_in uname <<<'[ "$*" = -r ] && cat "$ACTIVEMM_ROOT/uname" || exec /bin/uname "$@"'
stand_in sleep <<<'exit 0'
stand_in sync <<<'exit 0'
# What is asked to go down ends who asked.
stand_in systemctl <<'END'
case $1 in kexec | reboot) echo "$1" >"$ACTIVEMM_ROOT/asked"; kill -TERM $PPID ;; esac
exit 0
END
stand_in kexec <<'END'
case $1 in
-u) rm -f "$ACTIVEMM_ROOT/loaded" ;;
*) [ -e "$3" ] && printf '%s\n%s\n' "${3##*/vmlinuz-}" "$(printf '%s\n' "$@" | sed -n 's/^--command-line=//p')" >"$ACTIVEMM_ROOT/loaded" ;;
esac
END
stand_in grub-editenv <<'END'
case $2 in
list) cat "$1" ;;
unset) sed -i "/^$3=/d" "$1" ;;
set) sed -i "/^${3%%=*}=/d" "$1" && echo "$3" >>"$1" ;;
esac
END
stand_in grub-reboot <<<'grub-editenv "$ACTIVEMM_ROOT/boot/grub/grubenv" set "next_entry=$1"'
stand_in grub-probe <<<'case $1 in *fs) cat "$ACTIVEMM_ROOT/fs" ;; esac'
stand_in bootctl <<'END'
case $1 in
--print-boot-path) echo /boot ;;
set-oneshot) echo "$2" >"$ACTIVEMM_ROOT/oneshot" ;;
list) echo "title: Linux 1.0 (default)" ;;
esac
END
stand_in activemm <<'END'
verb=$1
shift
case $verb in
run)
	case "$*" in *nosuch*) echo "activemm: no scenario 'nosuch': \`activemm list' shows them" >&2; exit 2 ;; esac
	while [ "$1" != -o ]; do shift; done
	mkdir -p "$2" 2>/dev/null || exit 1
	cat "$ACTIVEMM_ROOT/uname" "$ACTIVEMM_ROOT/proc/cmdline" >"$2/summary.json"
	echo >"$2/trials.jsonl"
	;;
compare) echo "compared: $*" ;;
esac
END

# Its own kernel is 1.0; 2.0 is there too, and a menu of GRUB's.
make_machine() { # NAME
	export ACTIVEMM_ROOT=$tmp/$1
	root=$ACTIVEMM_ROOT state=$root/var/lib/activemm-bench/boot-turns/state unit=$root/etc/systemd/system/activemm-boot-turns.service
	mkdir -p "$root"/boot/grub "$root"/boot/loader/entries "$root"/proc/sys/kernel/random "$root"/run/systemd/system \
		"$root"/etc/systemd/system "$root"/sys/kernel
	touch "$root"/boot/vmlinuz-{1.0,2.0} "$root"/boot/initrd.img-{1.0,2.0}
	echo ext2 >"$root/fs"
	echo saved_entry=gnulinux-1.0 >"$root/boot/grub/grubenv"
	cat >"$root/boot/grub/grub.cfg" <<'END'
if [ "${next_entry}" ] ; then set default="${next_entry}" ; fi
menuentry 'Linux' --id gnulinux-simple {
	savedefault
	search --set=root 1-2-3
	linux	/boot/vmlinuz-2.0 root=/dev/sda1 ro quiet
	initrd	/boot/initrd.img-2.0
}
submenu 'Advanced' {
	menuentry 'Linux 2.0 (recovery mode)' {
		linux	/boot/vmlinuz-2.0 root=/dev/sda1 ro single
	}
	menuentry 'Linux 1.0' --id gnulinux-1.0 {
		savedefault
		linux	/boot/vmlinuz-1.0 root=/dev/sda1 ro quiet
		initrd	/boot/initrd.img-1.0
	}
}
source ${config_directory}/custom.cfg
END
	came_from_firmware 1.0 "BOOT_IMAGE=/boot/vmlinuz-1.0 root=/dev/sda1 ro quiet"
}
make_entries() { # EFI: systemd-boot's, or GRUB's in files
	local version
	for version in 1.0 2.0; do
		printf 'title Linux %s\nversion %s\nsort-key linux\nlinux /vmlinuz-%s\ninitrd /initrd.img-%s\noptions root=/dev/sda1 ro\n' \
			$version $version $version $version >"$root/boot/loader/entries/linux-$version.conf"
	done
}
came_from_firmware() { # RELEASE COMMAND-LINE
	boots=$((${boots:-0} + 1))
	echo "$1" >"$root/uname"
	echo "$2" >"$root/proc/cmdline"
	echo "boot-$boots" >"$root/proc/sys/kernel/random/boot_id"
}

# The machine comes up as what went down last left it; what matches BROKEN does not, and the default does.
boot() {
	local id='' file='' line='' release
	if [ "$(cat "$root/asked" 2>/dev/null)" = kexec ]; then
		{ read -r release && read -r line; } <"$root/loaded"
	elif [ -s "$root/oneshot" ]; then
		file=$root/boot/loader/entries/$(cat "$root/oneshot")
		: >"$root/oneshot"
	else
		id=$(sed -n 's/^next_entry=//p' "$root/boot/grub/grubenv")
		file=$root/boot/loader/entries/$id.conf
		[ -n "${STUCK:-}" ] || sed -i '/^next_entry=/d' "$root/boot/grub/grubenv"
		[ -z "$id" ] || line=$(sed -n "/--id $id /,/^}/s/^[[:space:]]*linux[[:space:]]*//p" "$root/boot/grub/custom.cfg" 2>/dev/null)
	fi
	[ ! -f "$file" ] || line="$(sed -n 's/^linux //p' "$file") $(sed -n 's/^options //p' "$file")"
	[ -n "${release:-}" ] || { release=${line%% *} && release=${release##*/vmlinuz-}; }
	rm -f "$root/asked" "$root/loaded"
	# shellcheck disable=SC2053 # a pattern
	if [ -n "$line" ] && [[ "$release $line" != ${BROKEN:-none} ]]; then
		came_from_firmware "$release" "$line"
	else
		came_from_firmware 1.0 "BOOT_IMAGE=/boot/vmlinuz-1.0 root=/dev/sda1 ro quiet"
	fi
}

turns() { "$top/scripts/boot-turns" "$@" >>"$tmp/out" 2>>"$tmp/err"; status=$?; }
begin() { : >"$tmp/out"; : >"$tmp/err"; turns --settle 0 --activemm "$bin/activemm" -o "$root/sets" "$@" -- thread; }
# What starts at boot, in boot after boot; a machine that boots for ever fails here.
run_to_end() {
	local n
	for ((n = 0; n < 20; n++)); do
		boot
		[ -e "$unit" ] || return 0
		turns go-on
	done
	echo "booted $n times" >>"$tmp/err"
	return 1
}
has() { grep -qxF -- "$1" "$state"; }
in_turns() { # RELEASE-A WORD-A RELEASE-B WORD-B: each session was in its kernel, with its parameter
	local set side order=''
	for set in "$root"/sets/session-*; do
		side=${set##*-}
		order=${order:+$order }$side
		case $side in A) grep -qx "$1" "$set/summary.json" && grep -q "$2" "$set/summary.json" ;; B) grep -qx "$3" "$set/summary.json" && grep -q "$4" "$set/summary.json" ;; esac || return
	done
	has "order=$order"
}
clean() { # nothing is left of it
	[ ! -e "$unit" ] && ! grep -rqs activemm-turns "$root/boot" && [ -z "$(find "$root/boot" -name '*activemm*')" ] && has phase=ended &&
		[ "$(cat "$root/boot/grub/grubenv")" = saved_entry=gnulinux-1.0 ] && ! grep -q activemm "$root/proc/cmdline"
}

make_machine grub
echo "menuentry 'Mine' { true }" >"$root/boot/grub/custom.cfg"
cp "$root/boot/grub/custom.cfg" "$tmp/custom"
begin --kernel 1.0 --kernel 2.0 --sessions 2 --via loader
cp "$root/boot/grub/custom.cfg" "$tmp/copied"
check "GRUB: the next boot is an entry of ours, once" grep -qE '^next_entry=activemm-turns-[ab]$' "$root/boot/grub/grubenv"
check "  copied from the kernel's own, which it saves for nobody" sh -c '! grep -q -e savedefault -e single "$1" && grep -q "search --set=root 1-2-3" "$1" && grep -q "vmlinuz-2.0 root=/dev/sda1 ro quiet panic=10 activemm.turns$" "$1"' - "$tmp/copied"
check "  a second start is refused" sh -c '! "$1" --kernel 1.0 --kernel 2.0 --sessions 2 -- thread 2>"$2" && grep -q "one is under way" "$2" && [ "$(wc -l <"$2")" = 1 ]' - "$top/scripts/boot-turns" "$tmp/second"
run_to_end
check "  four boots later it has ended by itself" has phase=ended
check "  with its sessions in turns" in_turns 1.0 panic=10 2.0 panic=10
check "  and compared, A's first" grep -qE '^compared: .*-A .*-A .*-B .*-B$' "$root/sets/compare.txt"
check "  the default, the menu and what starts at boot are as before" eval 'clean && cmp -s "$tmp/custom" "$root/boot/grub/custom.cfg"'
turns status
check "  status tells the end" grep -q "^ended: all sessions are done" "$tmp/out"

make_machine params
touch "$root/sys/kernel/kexec_loaded"
begin --kernel 2.0 --boot nopcid --sessions 1
run_to_end
check "kexec: one kernel with a parameter against itself without" in_turns 2.0 'quiet panic=10 activemm.turns$' 2.0 nopcid
check "  nothing is left" clean

make_machine entries
make_entries
echo blscfg >>"$root/boot/grub/grub.cfg"
begin --kernel 1.0 --kernel 2.0 --sessions 1 --via loader
check "GRUB with entry files: one of ours is next, and sorts as nobody's default" sh -c 'grep -q "^next_entry=activemm-turns-" "$1/boot/grub/grubenv" && ! grep -E "^(sort-key|version)" "$1"/boot/loader/entries/activemm-turns-b.conf' - "$root"
run_to_end
check "  it boots the sides" in_turns 1.0 panic=10 2.0 panic=10
check "  nothing is left" clean

make_machine systemd
make_entries
mkdir -p "$root/sys/firmware/efi/efivars"
printf 's\0y\0s\0t\0e\0m\0d\0-\0b\0o\0o\0t\0' >"$root/sys/firmware/efi/efivars/LoaderInfo-1"
begin --kernel 1.0 --kernel 2.0 --sessions 1
check "systemd-boot: one of ours is next" grep -q '^activemm-turns-[ab].conf$' "$root/oneshot"
run_to_end
check "  it boots the sides" in_turns 1.0 panic=10 2.0 panic=10
check "  nothing is left" clean

make_machine broken
touch "$root/sys/kernel/kexec_loaded"
BROKEN='2.0 *' begin --kernel 1.0 --kernel 2.0 --sessions 2
BROKEN='2.0 *' run_to_end
check "a kernel that does not come up: three boots, and the end" eval 'has phase=ended && has lost=3'
check "  after the first the boot loader is tried" grep -q "did not come up.*; by the boot loader from now on" "$root/sets/turns.log"
check "  nothing is left" clean
turns status
check "  status says why" grep -q "^ended: 3 boots in a row failed, the last one of B, 2.0" "$tmp/out"

make_machine stuck
begin --kernel 1.0 --kernel 2.0 --sessions 1 --via loader
STUCK=yes boot
turns go-on
check "GRUB that does not clear its entry ends it in that boot" grep -q "^outcome=GRUB did not clear its one-shot entry" "$state"
run_to_end
check "  nothing is left" clean

make_machine cut
begin --kernel 1.0 --kernel 2.0 --sessions 1 --via loader
boot
sed -i 's/^phase=booting/phase=running/' "$state" # as the power fails in the first session
came_from_firmware 1.0 "root=/dev/sda1 ro quiet"
run_to_end
check "a power cut in a session: it is done again" eval 'has phase=ended && has lost=1 && in_turns 1.0 panic=10 2.0 panic=10'

make_machine stopped
begin --kernel 1.0 --kernel 2.0 --sessions 2 --via loader
boot
turns go-on
boot
turns stop
check "stop ends it, keeps what is finished and says what this machine still runs" eval '[ "$status" = 0 ] && [ -d "$root"/sets/session-01-? ] && grep -q "reboot for the default one" "$tmp/err"'
boot
check "  nothing is left, and it starts no more" clean

# A fleet's nodes choose their kernel by the same means.
feature() { "$top/scripts/fleet.d/kernel-feature" "$@" >"$tmp/out" 2>"$tmp/err"; status=$?; }
make_machine node
feature
check "a node's feature is its kernel" grep -qx kernel=1.0 "$tmp/out"
feature kernel=2.0
check "  another one is chosen by GRUB's one-shot entry" eval '[ "$status" = 0 ] && grep -qx next_entry=activemm-turns-a "$root/boot/grub/grubenv"'
"$top/scripts/fleet.d/kernel-reboot"
boot
feature
check "  and is there after the reboot, with its own parameters" eval 'grep -qx kernel=2.0 "$tmp/out" && grep -qE "vmlinuz-2.0 root=/dev/sda1 ro quiet *$" "$root/proc/cmdline"'
boot
check "  for that boot" grep -qx 1.0 "$root/uname"
touch "$root/sys/kernel/kexec_loaded" "$root/boot/vmlinuz-3.0-1-x"
feature kernel=3.0_1_x
check "  or by kexec; a name with other characters, too" grep -qx 3.0-1-x "$root/loaded"
echo 1 >"$root/sys/kernel/kexec_loaded"
"$top/scripts/fleet.d/kernel-reboot"
check "  which the reboot uses" grep -qx kexec "$root/asked"
feature kernel=9.9
check "  one that is not installed is refused in a line" eval '[ "$status" = 1 ] && [ "$(cat "$tmp/err")" = "kernel-feature: no kernel is installed that is kernel=9.9; here are: 1.0 2.0 3.0-1-x" ]'

# refused WHAT STATUS TEXT OPTIONS...: one line, and nothing is changed
refused() {
	local what=$1 want=$2 text=$3
	shift 3
	begin "$@"
	check "$what" eval '[ ! -e "$state" ] && [ ! -e "$unit" ] && [ ! -e "$root/asked" ] && [ "$status" = "$want" ] &&
		[ "$(wc -l <"$tmp/err")" = 1 ] && grep -qF -- "$text" "$tmp/err"'
}
make_machine refusing
sides=(--kernel 1.0 --kernel 2.0 --sessions 2)
refused "a kernel that is not installed is named, with those that are" 1 "no kernel 9.9 is installed: there is no $root/boot/vmlinuz-9.9; here are: 1.0 2.0" --kernel 1.0 --kernel 9.9 --sessions 2
refused "a side alone" 2 "nothing to take turns with" --kernel 1.0 --sessions 2
refused "a side twice" 2 "named twice" --kernel 1.0 --kernel 1.0 --sessions 2
refused "a number of sessions that is none" 2 "--sessions few" --kernel 1.0 --kernel 2.0 --sessions few
refused "a parameter that every boot has already" 1 "has quiet already" --kernel 1.0 --boot quiet --sessions 2
stand_in df <<<'printf "Filesystem Blocks Used Available Capacity Mounted\n/dev/sda1 100 100 20480 99%% /\n"'
refused "no space" 1 "8 sessions need 48 MiB, and 20 are free at $root/sets" --kernel 1.0 --kernel 2.0 --sessions 4
rm "$bin/df"
stand_in stat <<<'case $* in *sets) echo tmpfs ;; esac'
refused "sets in memory" 1 "is in memory and would be lost at the first boot" "${sides[@]}"
rm "$bin/stat"
: >"$tmp/err"
turns "${sides[@]}" --activemm "$bin/activemm" -- nosuch
check "a scenario that is none" eval '[ "$status" = 2 ] && grep -q "no scenario .nosuch" "$tmp/err" && [ ! -e "$state" ]'
echo btrfs >"$root/fs"
refused "neither kexec nor a loader that forgets: both reasons in one line" 1 "kexec: this kernel has no kexec; boot loader: GRUB cannot clear its one-shot entry" "${sides[@]}"
rm -r "$root/run/systemd"
echo ext2 >"$root/fs"
refused "nothing that starts at boot" 1 "neither systemd" "${sides[@]}"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	# The sources may lie where only root gets to.
	env -u ACTIVEMM_ROOT setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=+dac_read_search --ambient-caps=+dac_read_search bash -c "$(cat "$top/scripts/boot-turns")" "$top/scripts/boot-turns" "${sides[@]}" 2>"$tmp/err"
	check "who is not root is told" grep -q "^boot-turns: only root may boot kernels" "$tmp/err"
else
	skip "a user without root: needs root and setpriv"
fi
true
