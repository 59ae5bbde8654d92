# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# KVM on the emulated machine's SVM, without nested page tables: it makes shadows, as we do.

side()
{
	host_modules kvm-amd || return 1
	qemu_in_host kvm-npt0 kvm "$bench_cpu" kvm-amd=npt=0 -- "$@"
}
