# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# KVM on the emulated machine's SVM, without nested page tables: it uses shadows, as lguest does.

side() { kvm_in_host 0 kvm-npt0 pc "$@"; }
devices() { kvm_in_host 0 kvm-npt0.devices "$qemu_devices" "$@"; }
