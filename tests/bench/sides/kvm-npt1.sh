# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# KVM on the emulated machine's SVM, with nested page tables: what hardware can do.

side()
{
	host_modules kvm-amd || return 1
	qemu_in_host kvm-npt1 kvm "$bench_cpu" kvm-amd=npt=1 -- "$@"
}
