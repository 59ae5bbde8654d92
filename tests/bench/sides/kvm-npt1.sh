# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# KVM on the emulated machine's SVM, with nested page tables: what hardware can do.

side() { kvm_in_host 1 kvm-npt1 pc "$@"; }
devices() { kvm_in_host 1 kvm-npt1.devices "$qemu_devices" "$@"; }
