# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Boot loaders: an entry of our own per side, a copy of the kernel's own entry with the side's parameters, booted once. The
# default is never touched; what would let an entry of ours become it is refused.
# grubby has no one-shot entry; where it is used, grub-reboot and the entries' files are.
# shellcheck disable=SC2154 # shared with boot-turns

readonly entry=activemm-turns title="activemm-bench boot-turns"
loader='' loader_lacks=''

first_command() {
	local name
	for name; do
		command -v "$name" >/dev/null && echo "$name" && return
	done
	return 1
}

grub_config() { first_of "$root/boot/grub/grub.cfg" "$root/boot/grub2/grub.cfg"; }
grub_environment() { echo "$(dirname "$(grub_config)")/grubenv"; }
grub_value() { "$(first_command grub-editenv grub2-editenv)" "$(grub_environment)" list 2>/dev/null | sed -n "s/^$1=//p"; }
entries_of_grub() { [ -n "$(find "$root/boot/loader/entries" -name '*.conf' 2>/dev/null | head -n 1)" ] && grep -q blscfg "$(grub_config)"; }

runs_systemd_boot() {
	command -v bootctl >/dev/null &&
		cat "$root"/sys/firmware/efi/efivars/LoaderInfo-* 2>/dev/null | tr -d '\0' | grep -q systemd-boot
}
entries_of_systemd() { echo "$root$(bootctl --print-boot-path 2>/dev/null || echo /boot)/loader/entries"; }

# Sets loader to systemd-boot, grub or grub-entries; else loader_lacks says why there is none.
find_loader() {
	loader=''
	if runs_systemd_boot; then
		loader=systemd-boot
	elif ! grub_config >/dev/null; then
		loader_lacks="neither GRUB's nor systemd-boot's configuration is here"
	elif ! first_command grub-reboot grub2-reboot >/dev/null || ! first_command grub-editenv grub2-editenv >/dev/null; then
		loader_lacks="grub-reboot is missing (Debian: grub2-common)"
	elif ! grep -q next_entry "$(grub_config)"; then
		loader_lacks="$(grub_config) knows no entry for one boot (next_entry)"
	else
		grub_clears_entry && find_grub_kind
	fi
	[ -n "$loader" ]
}

# GRUB that cannot write its environment would boot the one-shot entry for ever.
grub_clears_entry() {
	local probe where
	probe=$(first_command grub-probe grub2-probe) || {
		loader_lacks="grub-probe is missing: nothing tells whether GRUB can clear its one-shot entry"
		return 1
	}
	where=$(dirname "$(grub_config)")
	case "$("$probe" --target=abstraction "$where" 2>/dev/null) $("$probe" --target=fs "$where" 2>/dev/null)" in
	*lvm* | *diskfilter* | *raid* | *crypt* | *btrfs* | *zfs* | *f2fs*)
		loader_lacks="GRUB cannot clear its one-shot entry on what $where lies on"
		return 1
		;;
	esac
}

find_grub_kind() {
	if ! entries_of_grub; then
		if grep -q custom.cfg "$(grub_config)"; then
			loader=grub
		else
			loader_lacks="$(grub_config) does not read custom.cfg"
		fi
	elif [[ $(grub_value saved_entry) =~ ^[0-9]*$ ]]; then
		loader_lacks="GRUB's default is a place in its menu: name it by grub-set-default"
	else
		loader=grub-entries
	fi
}

entry_id() { echo "$entry-${1,,}"; }

# The body of the first usual entry of grub.cfg for a kernel, with parameters added.
grub_body() { # KERNEL PARAMS
	awk -v kernel="/vmlinuz-$1" -v params="$2" '
		function ends(text, with) { return length(text) >= length(with) && substr(text, length(text) - length(with) + 1) == with }
		/^[ \t]*menuentry / { inside = 1; body = ""; ours = 0; next }
		inside && /^[ \t]*}/ { if (ours) { printf "%s", body; exit } inside = 0; next }
		inside && $1 ~ /^linux(16|efi)?$/ {
			ours = ends($2, kernel) && $0 !~ / (single|recovery|rescue)( |$)/
			$0 = $0 " " params
		}
		inside && $1 != "savedefault" { body = body $0 "\n" }' "$(grub_config)"
}

write_grub_entries() {
	local side body custom
	custom=$(dirname "$(grub_config)")/custom.cfg
	remove_grub_entries
	for side in ${state[sides]}; do
		body=$(grub_body "${state[kernel.$side]}" "$(parameters_of "$side")")
		[ -n "$body" ] || fail "GRUB's menu has no entry for ${state[kernel.$side]}: run update-grub (grub2-mkconfig -o $(grub_config))"
		printf "menuentry '%s %s' --id %s { # %s\n%s\n} # %s\n" "$title" "$side" "$(entry_id "$side")" "$entry" "$body" "$entry" >>"$custom" || fail "$custom cannot be written"
	done
	sync "$custom"
}

remove_grub_entries() {
	local custom
	custom=$(dirname "$(grub_config)")/custom.cfg
	[ -e "$custom" ] && grep -q "# $entry\$" "$custom" || return 0
	sed "/{ # $entry\$/,/^} # $entry\$/d" "$custom" >"$custom.$entry" && sync "$custom.$entry" || return
	if [ -s "$custom.$entry" ]; then
		mv "$custom.$entry" "$custom"
	else
		rm -f "$custom.$entry" "$custom"
	fi
}

entries_folder() {
	if [ "${state[loader]}" = systemd-boot ]; then entries_of_systemd; else echo "$root/boot/loader/entries"; fi
}

# The first entry file whose kernel this is.
entry_file() {
	awk -v kernel="$1" '
		FNR == 1 { rescue = 0 }
		$1 == "linux" {
			n = split($2, part, "/")
			if (part[n] == "vmlinuz-" kernel || part[n - 1] == kernel) { print FILENAME; exit }
		}' "$2"/*.conf 2>/dev/null
}

# An entry without sort-key, whose name begins with an early letter, comes after the others and so is nobody's default.
write_entry_files() {
	local side from into
	into=$(entries_folder)
	remove_entry_files
	for side in ${state[sides]}; do
		from=$(entry_file "${state[kernel.$side]}" "$into")
		[ -n "$from" ] || fail "$into has no entry for ${state[kernel.$side]}"
		awk -v title="$title $side" -v params="$(parameters_of "$side")" '
			$1 == "title" { print "title " title; next }
			$1 == "sort-key" || $1 == "version" { next }
			$1 == "options" && !done { done = 1; $0 = $0 " " params }
			{ print }
			END { if (!done) print "options " params }' "$from" >"$into/$(entry_id "$side").conf" || fail "$into cannot be written"
		sync "$into/$(entry_id "$side").conf"
	done
	[ "${state[loader]}" = systemd-boot ] || return 0
	if bootctl list 2>/dev/null | grep -qE "$title.*\(default\)"; then
		remove_entry_files
		fail "systemd-boot would take an entry of ours for its default: name a default by bootctl set-default, or say --via kexec"
	fi
}
remove_entry_files() { rm -f "$(entries_folder)/$entry"-?.conf; }

install_entries() {
	case ${state[loader]} in
	grub) write_grub_entries ;;
	grub-entries | systemd-boot) write_entry_files ;;
	esac
}

# Arms a side's entry for the next boot.
arm_entry() {
	case ${state[loader]} in
	grub | grub-entries) "$(first_command grub-reboot grub2-reboot)" "$(entry_id "$1")" >/dev/null ;;
	systemd-boot) bootctl set-oneshot "$(entry_id "$1").conf" >/dev/null ;;
	*) false ;;
	esac
}

# Is an entry still armed that this boot should have used up?
still_armed() { [[ ${state[loader]} == grub* ]] && [[ $(grub_value next_entry) == "$entry"* ]]; }

disarm_entry() {
	case ${state[loader]} in
	grub | grub-entries)
		! still_armed || "$(first_command grub-editenv grub2-editenv)" "$(grub_environment)" unset next_entry
		;;
	systemd-boot) bootctl set-oneshot "" >/dev/null 2>&1 || : ;;
	esac
}

remove_entries() {
	disarm_entry
	case ${state[loader]} in
	grub) remove_grub_entries ;;
	grub-entries | systemd-boot) remove_entry_files ;;
	esac
	# An entry that saves itself as the default is not copied; what a hook saved all the same is put back.
	if [[ ${state[loader]} == grub* ]] && [ "$(grub_value saved_entry)" != "${state[saved_entry]:-}" ]; then
		if [ -n "${state[saved_entry]:-}" ]; then
			"$(first_command grub-editenv grub2-editenv)" "$(grub_environment)" set "saved_entry=${state[saved_entry]}"
		else
			"$(first_command grub-editenv grub2-editenv)" "$(grub_environment)" unset saved_entry
		fi
	fi
}
