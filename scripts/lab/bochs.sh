# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Bochs emulates PCID, which QEMU's software emulation does not: the PCID branch without hardware, for
# counts, at about a minute a boot. It boots disks only, so each guest becomes a CD with GRUB.
# shellcheck disable=SC2154,SC2034 # shared with kernel-lab

readonly bochs_bios=/usr/share/bochs/BIOS-bochs-latest bochs_vga=/usr/share/bochs/VGABIOS-lgpl-latest
readonly grub_modules=/usr/lib/grub/i386-pc

need_bochs() {
	need bochs-bin:bochs /usr/lib/x86_64-linux-gnu/bochs/plugins/libbx_term_gui.so:bochs-term \
		$bochs_bios:bochsbios $grub_modules/linux.mod:grub-pc-bin \
		grub-mkimage:grub-common xorriso:xorriso
}

# make_cd PARAMETERS: $tmp/guest.iso from image and initrd.
make_cd() {
	local dir=$tmp/cd
	rm -rf "$dir"
	mkdir -p "$dir/boot"
	cp "$image" "$dir/boot/vmlinuz" && gzip -dc "$initrd" >"$dir/boot/initrd" || exit 1
	printf 'set root=cd\nlinux /boot/vmlinuz %s\ninitrd /boot/initrd\nboot\n' "$1" >"$tmp/grub.cfg"
	grub-mkimage -O i386-pc-eltorito -d $grub_modules -p / -c "$tmp/grub.cfg" -o "$dir/boot/grub.img" \
		biosdisk iso9660 linux boot || exit 1
	xorriso -as mkisofs -quiet -R -b boot/grub.img -no-emul-boot -boot-load-size 4 -boot-info-table \
		-o "$tmp/guest.iso" "$dir" 2>"$tmp/emulator.log" || fail 1 "xorriso: $(tail -n 1 "$tmp/emulator.log")"
}

# start_bochs PARAMETERS OUT ERR: boots the guest, see boot_kernel. Its clock counts instructions: a fast
# clock makes timer interrupts rare, a slow one the serial ports quick.
start_bochs() {
	make_cd "$1"
	cat >"$tmp/bochsrc" <<END
display_library: term
romimage: file=$bochs_bios
vgaromimage: file=$bochs_vga
megs: $memory
cpu: model=corei7_haswell_4770, count=1:$cpus:1, ips=100000000, reset_on_triple_fault=0
clock: sync=none, time0=utc
ata0-master: type=cdrom, path=$tmp/guest.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$tmp/console
com2: enabled=1, mode=file, dev=$tmp/shipped
com3: enabled=1, mode=file, dev=/proc/self/fd/$2
com4: enabled=1, mode=file, dev=/proc/self/fd/$3
log: $tmp/bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
END
	# Its debugger waits for a word to start.
	echo c >"$tmp/bochs.start"
	TERM=linux start_guest bochs-bin -q -f "$tmp/bochsrc" -rc "$tmp/bochs.start" >"$tmp/emulator.log" 2>&1
}
