# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Kernel parameters for the next boots of the user's own machine.
# shellcheck disable=SC2154 # shared with kernel-lab

# Which tool of the distribution writes the boot loader's line.
boot_tool() {
	if command -v grubby >/dev/null; then
		echo grubby
	elif [ -e "$root/etc/default/grub" ] && command -v update-grub >/dev/null; then
		echo update-grub
	elif [ -e "$root/etc/default/grub" ] && command -v grub-mkconfig >/dev/null; then
		echo grub-mkconfig
	elif [ -e "$root/etc/kernel/cmdline" ] && command -v kernel-install >/dev/null; then
		echo kernel-install
	else
		echo none
	fi
}

# Debian's and Ubuntu's grub-mkconfig read drop-ins, others only the one file.
grub_file() {
	if [ -d "$root/etc/default/grub.d" ]; then
		echo "$root/etc/default/grub.d/activemm-bench.cfg"
	else
		echo "$root/etc/default/grub"
	fi
}

refresh_command() {
	case $1 in
	update-grub) echo update-grub ;;
	grub-mkconfig) echo "grub-mkconfig -o /boot/grub/grub.cfg" ;;
	kernel-install) echo "kernel-install add $(uname -r) /lib/modules/$(uname -r)/vmlinuz" ;;
	esac
}

install_line() {
	local file
	case $tool in
	grubby) grubby --update-kernel=ALL --args="$params" || return ;;
	update-grub | grub-mkconfig)
		file=$(grub_file)
		grep -qs "$mark" "$file" && fail 1 "$file already holds a line of ours: --undo first"
		# shellcheck disable=SC2016 # expanded by grub-mkconfig
		printf 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX %s" %s\n' "$params" "$mark" >>"$file" || return
		;;
	kernel-install)
		file=$root/etc/kernel/cmdline
		[ ! -e "$file.activemm-bench" ] || fail 1 "$file already holds parameters of ours: --undo first"
		cp -p "$file" "$file.activemm-bench" || return
		printf '%s %s\n' "$(tr '\n' ' ' <"$file.activemm-bench" | sed 's/ *$//')" "$params" >"$file" || return
		;;
	esac
}

remove_line() {
	local file
	case $tool in
	grubby) grubby --update-kernel=ALL --remove-args="$params" || return ;;
	update-grub | grub-mkconfig)
		file=$(grub_file)
		grep -qs "$mark" "$file" || fail 1 "$file holds no line of ours"
		sed -i "/$mark\$/d" "$file" || return
		[ -s "$file" ] || rm -f "$file"
		;;
	kernel-install)
		file=$root/etc/kernel/cmdline
		[ -e "$file.activemm-bench" ] || fail 1 "$file holds no parameters of ours"
		mv "$file.activemm-bench" "$file" || return
		;;
	esac
}

apply_line() {
	[ "$tool" != none ] || fail "$MISSING_TOOL" "neither grubby, GRUB's nor systemd-boot's tools are here: edit the boot loader's line by hand"
	[ -n "$root" ] || [ "$(id -u)" -eq 0 ] || fail 1 "only root may change the boot loader's line: sudo $0 $verb --${1}"
	if [ "$1" = install ]; then install_line; else remove_line; fi || fail 1 "the boot loader's line could not be changed"
	# With --root only the files are written: the boot loader is the other tree's.
	if [ -z "$root" ] && [ "$tool" != grubby ]; then
		# shellcheck disable=SC2046,SC2091 # words of a command
		$(refresh_command "$tool") || fail 1 "$(refresh_command "$tool") failed: run it again by hand"
	fi
}

boot_line() {
	local params=$1 tool mark='# activemm-bench' name
	[[ $params =~ ^[A-Za-z0-9_=.,:\ -]+$ ]] || wrong "'$params' is not a list of kernel parameters"
	tool=$(boot_tool)
	name=${params//[^A-Za-z0-9.=_-]/_}
	if [ "$action" = undo ]; then
		apply_line undo
		echo "Removed. The next boot is without: $params"
		return
	fi
	if [ -n "$install" ]; then
		apply_line install
		echo "Installed. The next boots have: $params"
		echo "Undo:      sudo $0 $verb$([ "$verb" = nopcid ] || echo " '$params'") --undo, and reboot"
	else
		echo "Kernel parameters for the comparison: $params"
		echo "Once, for one boot: in GRUB's menu press e, in systemd-boot's e as well, add them to the line"
		echo "                    that starts with 'linux' or is the only one, and boot it."
		case $tool in
		grubby) echo "For all boots:      sudo grubby --update-kernel=ALL --args='$params'   (undo: --remove-args)" ;;
		update-grub | grub-mkconfig)
			echo "For all boots:      in $(grub_file):"
			echo "                      GRUB_CMDLINE_LINUX=\"\$GRUB_CMDLINE_LINUX $params\""
			echo "                    then: sudo $(refresh_command "$tool")"
			;;
		kernel-install)
			echo "For all boots:      append them to /etc/kernel/cmdline, then: sudo $(refresh_command "$tool")"
			;;
		none) echo "For all boots:      in your boot loader's configuration (no GRUB or systemd-boot tools found here)" ;;
		esac
		[ "$tool" = none ] || echo "Or let it be done:  sudo $0 $verb$([ "$verb" = nopcid ] || echo " '$params'") --install   (and --undo)"
	fi
	cat <<END
The comparison: 1. before the reboot:  ./bench-all -o results/run-plain
                2. reboot with it:     ./bench-all -o results/run-$name
                   (a run that was cut short goes on with --resume added)
                3. in either boot:     build/activemm compare results/run-plain results/run-$name
END
	if has_params "$params"; then
		echo "This boot already has it: step 2 now."
	else
		echo "This boot does not have it: step 1 now."
	fi
}

has_params() {
	local word
	# shellcheck disable=SC2086 # words
	for word in $1; do
		grep -qwF -e "$word" /proc/cmdline || return 1
	done
}
