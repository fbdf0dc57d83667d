# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The guest: an initramfs of busybox, the programs asked for and an init that runs one command.
# shellcheck disable=SC2154 # shared with kernel-lab

# add_file SRC DEST: into the guest's tree, with the libraries that the loader would look for.
add_file() {
	local library
	mkdir -p "$tree/$(dirname "$2")"
	cp -rL "$1" "$tree/$2" || exit 1
	[ -f "$1" ] && [ "$(head -c 4 "$1" | tr -d '\0')" = $'\177ELF' ] || return 0
	if crossing; then
		add_foreign "$1"
		return
	fi
	while read -r library; do
		[ ! -e "$tree$library" ] || continue
		mkdir -p "$tree$(dirname "$library")"
		cp -L "$library" "$tree$library" || exit 1
	done < <(ldd "$1" 2>/dev/null | sed -n -E 's|^.*[[:space:]](/[^ ]+) \(0x.*$|\1|p')
	library=$(ldd "$1" 2>/dev/null | sed -n -E 's/^[[:space:]]*(.*) => not found$/\1/p' | tr '\n' ' ')
	[ -z "$library" ] || fail 1 "$1 lacks a library on this machine: $library"
}

# The libraries of a program for the guest's architecture.
add_foreign() {
	local name path
	while read -r name path; do
		[ -n "$path" ] || fail 1 "$1 lacks a library in the sysroot $sysroot: $name"
		[ ! -e "$tree$path" ] || continue
		mkdir -p "$tree$(dirname "$path")"
		cp -L "$sysroot$path" "$tree$path" || exit 1
	done < <(libraries_of "$1")
}

# Modules by name with what they depend on, in loading order: $tree/lab/modules and modules.list.
add_modules() {
	local probe file plain
	: >"$tree/lab/modules.list"
	# Older kernels have the ports' driver as a module.
	if virtio_only && [ -n "$package" ] && dpkg-deb -c "$cache/kernels/$release/package.deb" | grep virtio_console.ko >/dev/null; then
		probes=(virtio_pci virtio_console "${probes[@]}")
	fi
	[ ${#probes[@]} -gt 0 ] || return 0
	need modprobe:kmod depmod:kmod
	find_modules
	for probe in "${probes[@]}"; do
		modprobe -d "$moduleroot" -S "$release" --show-depends "$probe" >"$tmp/depends" 2>&1 ||
			fail 1 "kernel $release has no module $probe: $(head -n 1 "$tmp/depends")"
		while read -r file; do
			plain=${file##*/}
			plain=${plain%.xz} && plain=${plain%.zst} && plain=${plain%.gz}
			case $file in
			*.xz) xz -dc "$file" ;;
			*.zst) zstd -dcq "$file" ;;
			*.gz) gzip -dc "$file" ;;
			*) cat "$file" ;;
			esac >"$tree/lab/$plain" || fail 1 "$file cannot be unpacked"
			grep -qxF "$plain" "$tree/lab/modules.list" || echo "$plain" >>"$tree/lab/modules.list"
		done < <(sed -n 's/^insmod \([^ ]*\).*/\1/p' "$tmp/depends")
	done
}

# Sets moduleroot: a tree with lib/modules/$release and its module index.
find_modules() {
	moduleroot=$tmp/root
	if [ -n "$modules" ]; then
		mkdir -p "$moduleroot/lib/modules"
		[ -d "$modules" ] || fail 1 "there is no folder of modules $modules"
		ln -sfn "$(readlink -f "$modules")" "$moduleroot/lib/modules/$release"
		[ -e "$modules/modules.dep" ] || fail 1 "$modules has no modules.dep: run depmod on it"
		return
	fi
	[ -n "$package" ] || fail 1 "--modprobe with an image of one's own wants --modules DIR"
	moduleroot=$cache/kernels/$release/root
	[ -e "$moduleroot/lib/modules/$release/modules.dep" ] && return
	unpack_modules
}

# An init that runs as process 1 and never dies before the machine does. Serial ports: 1 the kernel's
# log, 2 the results, 3 and 4 the command's standard output and error; the last three are virtio's but on amd64.
write_init() {
	local ports='ttyS1 ttyS2 ttyS3'
	! virtio_only || ports='vport0p1 vport0p2 vport0p3'
	cat >"$tree/lab/ports" <<<"set -- $ports"
	cat >"$tree/init" <<'END'
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /root /lab/out/results
/bin/busybox --install -s /bin
export PATH=/usr/local/bin:/bin HOME=/root TERM=dumb
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
ifconfig lo 127.0.0.1 up 2>/dev/null
ulimit -n 65536
while read -r module; do
	insmod "/lab/$module" 2>/lab/insmod.log || echo "kernel-lab: $module cannot be loaded: $(cat /lab/insmod.log)" >>/lab/refused
done </lab/modules.list
. /lab/ports
for port; do
	# Where the ports are a driver's, they come a moment after it.
	tries=0
	until [ -c /dev/$port ] || [ $tries = 50 ]; do tries=$((tries + 1)); sleep 0.1; done
	case $port in tty*) stty -F /dev/$port raw -echo 115200 ;; esac
done
shipped=/dev/$1 out=/dev/$2 err=/dev/$3
. /lab/environment
status=
[ ! -e /lab/refused ] || cat /lab/refused >$err
cd /root
if [ -s /lab/activemm.ko ]; then
	insmod /lab/activemm.ko 2>/lab/insmod.log || echo "kernel-lab: activemm.ko cannot be loaded: $(cat /lab/insmod.log)" >$err
fi
sh /lab/command </dev/null >$out 2>$err
echo $? >/lab/out/status
if [ -s /lab/activemm.ko ] && grep -q '^activemm ' /proc/modules; then
	rmmod activemm 2>/lab/insmod.log || echo "kernel-lab: activemm.ko cannot be unloaded: $(cat /lab/insmod.log)" >$err
fi
uname -r >/lab/out/release
nproc >/lab/out/cpus
cut -d ' ' -f 1 /proc/uptime >/lab/out/uptime
dmesg >/lab/out/kernel.log
tar -C /lab/out -czf /lab/out.tgz .
{
	echo "activemm-lab $(wc -c </lab/out.tgz) $(sha256sum </lab/out.tgz | cut -d ' ' -f 1)"
	cat /lab/out.tgz
} >$shipped
poweroff -f
END
	chmod +x "$tree/init"
}

quote() { printf '%q ' "$@"; }

# make_guest ACCEL BOOT MODULE COMMAND...: sets initrd.
make_guest() {
	local accelerator=$1 params=$2 ko=$3 file src
	shift 3
	tree=$tmp/tree
	initrd=$tmp/initrd
	need cpio:cpio
	rm -rf "$tree"
	mkdir -p "$tree/bin" "$tree/lab" "$tree/usr/local/bin"
	busybox=/bin/busybox
	if crossing; then
		need readelf:binutils
		make_sysroot
		need_program
		busybox=$sysroot/bin/busybox
	else
		need /bin/busybox:busybox-static
	fi
	cp "$busybox" "$tree/bin/busybox" || exit 1
	grep -qaE -m 1 '/lib(64)?/ld-linux' "$tree/bin/busybox" && add_file "$busybox" bin/busybox
	[ ! -x "$activemm" ] || add_file "$activemm" usr/local/bin/activemm
	for file in "${files[@]}"; do
		src=${file%%:*}
		[ -e "$src" ] || fail 1 "there is no $src for --file"
		[ "$file" != "$src" ] || file=$src:$(readlink -f "$src")
		add_file "$src" "${file#*:}"
	done
	case $1 in
	*/*) if [ -f "$1" ] && [ ! -e "$tree/$1" ]; then
		src=$(readlink -f "$1")
		add_file "$src" "$src"
		shift
		set -- "$src" "$@"
	fi ;;
	esac
	add_modules
	find_config
	[ -z "$config" ] || add_file "$config" "boot/config-$release"
	[ "$ko" = none ] || cp "$ko" "$tree/lab/activemm.ko" || exit 1
	quote "$@" >"$tree/lab/command"
	{
		echo "export ACTIVEMM_LAB_KERNEL=$(quote "$release")"
		echo "export ACTIVEMM_LAB_BOOT=$(quote "$params")"
		echo "export ACTIVEMM_RESULT_COPY=\$shipped"
		echo "export ACTIVEMM_LAB_ACCEL=$accelerator ACTIVEMM_LAB_RESULTS=/lab/out/results"
	} >"$tree/lab/environment"
	write_init
	(cd "$tree" && find . -print0 | cpio --null -o -H newc -R 0:0 --quiet) | gzip -1 >"$initrd" || exit 1
}
