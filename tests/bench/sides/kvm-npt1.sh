# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# KVM on the emulated machine's SVM, with nested page tables: what hardware can do.

in_kvm()
{
	host_modules kvm-amd || return 1
	qemu_in_host "$1" "$2" kvm "$bench_cpu" kvm-amd=npt=1 -- "${@:3}"
}

side() { in_kvm kvm-npt1 pc "$@"; }
devices() { in_kvm kvm-npt1.devices "$qemu_devices" "$@"; }
