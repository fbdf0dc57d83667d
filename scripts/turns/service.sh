# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What starts `boot-turns go-on' in each boot: a systemd unit, or an init script.
# shellcheck disable=SC2154 # shared with boot-turns

readonly service=activemm-boot-turns
unit=$root/etc/systemd/system/$service.service script=$root/etc/init.d/$service local_start=$root/etc/local.d/$service.start

# Sets state[init].
choose_service() {
	if has_systemd; then
		state[init]=systemd
	elif [ -d "$root/etc/local.d" ] && command -v rc-update >/dev/null; then
		state[init]=openrc
	elif [ -d "$root/etc/init.d" ] && { command -v update-rc.d >/dev/null || [ -d "$root/etc/rc2.d" ]; }; then
		state[init]=script
	else
		fail "nothing that starts at boot is known here: neither systemd, nor OpenRC's local.d, nor init scripts"
	fi
}

# By bash, which SELinux lets a service run: a script in a home folder it does not.
unit_text() {
	local path=${self//%/%%}
	cat <<END
[Unit]
Description=activemm-bench: kernels that take turns over boots
ConditionPathExists=$folder/state
RequiresMountsFor="${path%/*}" "${state[out]//%/%%}"
After=multi-user.target

[Service]
ExecStart="$(command -v bash)" "$path" go-on
StandardOutput=journal+console
StandardError=journal+console

[Install]
WantedBy=multi-user.target
END
}

script_text() {
	cat <<END
#!/bin/sh
### BEGIN INIT INFO
# Provides:          $service
# Required-Start:    \$all
# Required-Stop:
# Default-Start:     2 3 4 5
# Default-Stop:
# Short-Description: activemm-bench: kernels that take turns over boots
### END INIT INFO
[ "\${1:-start}" = start ] || exit 0
$(command -v bash) $(printf %q "$self") go-on </dev/null >/dev/console 2>&1 &
END
}

# install_file FILE COMMAND...: what the command prints, on the disk
install_file() {
	local file=$1
	shift
	"$@" >"$file" 2>/dev/null && sync "$file"
}

install_service() {
	local level
	case ${state[init]} in
	systemd)
		install_file "$unit" unit_text && systemctl daemon-reload && systemctl -q enable $service.service
		;;
	openrc)
		install_file "$local_start" script_text && chmod 755 "$local_start" && { rc-update add local default >/dev/null 2>&1 || :; }
		;;
	script)
		install_file "$script" script_text && chmod 755 "$script" || return
		if command -v update-rc.d >/dev/null; then
			update-rc.d $service defaults >/dev/null
		else
			for level in 2 3 4 5; do
				[ ! -d "$root/etc/rc$level.d" ] || ln -sf "../init.d/$service" "$root/etc/rc$level.d/S99$service" || return
			done
		fi
		;;
	esac && sync
}

remove_service() {
	case ${state[init]} in
	systemd)
		systemctl -q disable $service.service 2>/dev/null
		rm -f "$unit"
		systemctl daemon-reload
		;;
	openrc) rm -f "$local_start" ;;
	script)
		! command -v update-rc.d >/dev/null || update-rc.d -f $service remove >/dev/null 2>&1
		rm -f "$script" "$root"/etc/rc?.d/S99$service
		;;
	esac
	sync
}

wait_for_system() {
	# Until then what starts at boot still runs.
	! has_systemd || interruptible timeout 300 systemctl is-system-running --wait >/dev/null 2>&1
	interruptible sleep "${state[settle]}"
}
