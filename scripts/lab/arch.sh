# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What goes by the guest's architecture: its emulator, its kernels' names, where its libraries are from.
# shellcheck disable=SC2034,SC2154 # shared with kernel-lab

# Debian's name of this machine's architecture.
host_arch() {
	case $(uname -m) in
	aarch64) echo arm64 ;;
	riscv64) echo riscv64 ;;
	*) echo amd64 ;;
	esac
}

is_arch() { [[ $1 =~ ^(amd64|arm64|riscv64)$ ]]; }

# Is the guest's architecture another than this machine's?
crossing() { [ "$arch" != "$(host_arch)" ]; }

# Has its machine one serial port only, and virtio's for the rest?
virtio_only() { [ "$arch" != amd64 ]; }

# sysroot_suite: Debian's release whose libraries it is built with. Kernels: flavour is the end of their names.
set_arch() {
	sysroot_suite=bookworm flavour=cloud-$arch machine=() console=ttyS0
	case $arch in
	amd64) qemu=qemu-system-x86_64 qemu_package=qemu-system-x86 triplet=x86_64-linux-gnu image_kind='an x86 bzImage' ;;
	arm64)
		qemu=qemu-system-aarch64 qemu_package=qemu-system-arm triplet=aarch64-linux-gnu image_kind='an arm64 Image'
		machine=(-M virt,gic-version=3) console=ttyAMA0
		;;
	riscv64)
		# Debian has it since trixie, and no cloud kernels for it.
		qemu=qemu-system-riscv64 qemu_package=qemu-system-misc triplet=riscv64-linux-gnu image_kind='a riscv64 Image'
		machine=(-M virt) sysroot_suite=trixie flavour=riscv64
		;;
	esac
}

accel_arguments() {
	case $1/$arch in
	kvm/*) echo -accel kvm -cpu host ;;
	# One thread and a clock that goes by instructions: two a nanosecond's worth, and each counts the same.
	icount/arm64) echo -accel tcg,thread=single -icount shift=1 -cpu neoverse-n1 ;;
	tcg/arm64) echo -accel tcg,thread=single -cpu neoverse-n1 ;;
	tcg/riscv64) echo -accel tcg,thread=single -cpu rv64 ;;
	# One thread for all CPUs: with one each, kernels that patch their own text have died.
	*) echo -accel tcg,thread=single -cpu max ;;
	esac
}
