#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Whatever is wrong, the person gets one line that begins with "lguest:" and says what to
# do, and status 2 if what was typed can't be right, 1 if it can't be done; of "lguest run",
# whose command may end with 1, 125. Nothing is started or left. Fails on another status, on
# more or fewer lines, on a line without the words that help, or on output.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh

cut_short() { head -c "$1" "$kernel" >"$work/short"; echo "$work/short"; }

# Some bytes in the middle of what is packed are others.
corrupt()
{
	cp "$kernel" "$work/corrupt"
	dd if=/dev/urandom of="$work/corrupt" bs=1024 seek=1500 count=16 conv=notrunc 2>/dev/null
	echo "$work/corrupt"
}

# run_refuses WORDS OPTION...: as refuses, of "lguest run".
run_refuses() { run_words=$1; shift; ends_refused 125 "$run_words" lguest run "$@" -- true; }

make_nobody
: >"$work/empty"
head -c 100000 /dev/urandom >"$work/random"
dd if=/dev/zero of="$work/big" bs=1M count=0 seek=80 2>/dev/null
long=$(head -c 5000 /dev/zero | tr '\0' x)

check no_arguments misused 'lguest 64m bzImage' lguest
check no_kernel misused 'which kernel' lguest 64m
check unknown_option misused "unknown option '--frobnicate'.*--help" lguest --frobnicate 64m "$kernel"
check option_without_its_value misused 'needs a value' lguest --initrd
check option_cut_short misused "unknown option '--cpu=1': did you mean --cpus" lguest --cpu=1 64m "$kernel"
check option_of_run_alone misused "is for 'lguest run'" lguest --timeout=1 64m "$kernel"
check value_that_was_the_memory misused "'64m' was taken as the value of --net: say --net=MODE" lguest --net 64m "$kernel"
check value_empty misused 'needs a value: --initrd=FILE' lguest --initrd= 64m "$kernel"
check command_misspelt misused "'lst' is neither a command nor an amount of memory.*did you mean 'list'" lguest lst
check command_with_a_guests_option misused "--cpus comes behind 'list'" lguest --cpus=1 list
check command_unknown_to_help misused "'lst' is no command" lguest help lst
check cpus_0 misused "'0' is not a number of CPUs.*1 to 16" lguest --cpus=0 64m "$kernel"
check cpus_17 misused "'17' is not a number of CPUs" lguest --cpus=17 64m "$kernel"
check cpus_not_a_number misused "'x' is not a number of CPUs" lguest --cpus=x 64m "$kernel"
check cpus_negative misused "'-1' is not a number of CPUs" lguest --cpus=-1 64m "$kernel"
check cpus_without_a_number misused 'needs a value: --cpus=N' lguest --cpus
check memory_not_a_number misused 'neither a command nor an amount of memory.*64m' lguest lots "$kernel"
check memory_with_an_unknown_unit misused 'not an amount of memory' lguest 64x "$kernel"
check memory_negative misused 'not an amount|unknown option' lguest -64 "$kernel"
check memory_empty misused 'not an amount' lguest '' "$kernel"
check memory_zero misused 'too small' lguest 0 "$kernel"
check memory_beyond_all_numbers misused 'more memory than there can be' lguest 99999999999999999999g "$kernel"
check memory_too_small refuses 'too small.*give it [0-9]+m' lguest 4m "$kernel"
check memory_more_than_the_host_has refuses 'more than this host has' lguest 1000g "$kernel"
check shadow_too_little misused "too little for the shadow page tables" lguest --shadow=1k 64m "$kernel"
check shadow_more_than_the_module_allows refuses "the module lg allows 196608 KiB at most" lguest --shadow=193m 64m "$kernel"
check kernel_not_there refuses "can't open the kernel" lguest 64m /nowhere/bzImage
check kernel_is_a_folder refuses 'is not a file' lguest 64m /tmp
check kernel_empty refuses "neither a bzImage nor|truncated|is empty" lguest 64m "$work/empty"
check kernel_is_garbage refuses 'neither a bzImage nor an ELF' lguest 64m "$work/random"
check bzimage_of_600_bytes refuses 'truncated' lguest 64m "$(cut_short 600)"
check bzimage_of_20000_bytes refuses 'truncated' lguest 64m "$(cut_short 20000)"
check bzimage_of_1_mib refuses 'truncated' lguest 64m "$(cut_short 1048576)"
check bzimage_corrupt refuses 'corrupt' lguest 64m "$(corrupt)"
check kernel_is_a_program refuses 'not a kernel|corrupt|no lguest support' lguest 64m /bin/busybox
check kernel_without_lguest_support refuses 'no lguest support: build one' lguest 64m "$tests/stub-kernel"
check kernel_of_another_abi refuses 'version 99 of the guest ABI.*build both' lguest 64m "$tests/stub-kernel-abi"
check initrd_not_there refuses "can't open the initrd" lguest --initrd=/nowhere 64m "$kernel"
check initrd_does_not_fit refuses 'does not fit.*needs a guest of [0-9]+m' lguest --initrd="$work/big" 64m "$kernel"
check arguments_too_long refuses 'too long' lguest 64m "$kernel" "$long"
check disk_not_there refuses "can't open the disk" lguest --block=/nowhere 64m "$kernel"
check disk_smaller_than_a_sector refuses 'at least 512 bytes' lguest --block="$work/empty" 64m "$kernel"
check disk_of_odd_size refuses 'no multiple of 512: truncate' lguest --block="$work/random" 64m "$kernel"
check disk_is_a_folder refuses "can't open the disk.*directory" lguest --block=/tmp 64m "$kernel"
check disk_cache_unknown misused 'no cache=unsafe: say cache=none' lguest --block="$work/big,cache=unsafe" 64m "$kernel"
check share_not_there refuses "can't share '/nowhere'" lguest --share=/nowhere 64m "$kernel"
check share_no_directory refuses "can't share.*Not a directory" lguest --share="$kernel" 64m "$kernel"
check share_without_its_tag misused "is no tag" lguest --share=/tmp: 64m "$kernel"
check no_permission refuses 'no permission.*root' su -s /bin/sh nobody -c "$LGUEST 64m $kernel"
check run_has_no_kernel run_refuses "can't open the kernel" --kernel=/nowhere
check run_has_no_memory run_refuses 'more than this host has' --kernel="$kernel" --memory=1000g
rmmod lg
check module_not_loaded refuses 'not loaded.*insmod' lguest 64m "$kernel"
check module_not_loaded_for_run run_refuses 'not loaded.*insmod' --kernel="$kernel"
check check_tells_it_too sh -c 'lguest --check | grep "^NO.*not loaded"'
check loads_again load_module
check check_is_content sh -c 'lguest --check'
checked
