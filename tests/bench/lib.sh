# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# What the sides of the benchmark share: one machine, one initrd, one command line.
# A side is a file sides/NAME.sh. It defines side(), which fails or leaves in $out
#   NAME.txt     the measuring program's output, and the side's own lines:
#                  started TSC     before the machine's first instruction that counts
#                  rss NAME KIB    memory
#   NAME.marks   the plugin's output (where it can see the program's instructions)
# Some sides define devices(), too: given operations on devices, it leaves
# NAME.devices.txt and NAME.devices.marks.

all_sides="native lguest kvm-npt0 kvm-npt1 qemu-tcg uml native-6.1 xen-pv"
bench=$LG_TOP/tests/bench
out=$LG_BUILD/bench
guest=$LG_BUILD/guest-6.12/bzImage

# One emulated machine for everything. No ERMS: the emulator charges REP MOVSB a tick
# a byte. No 5-level paging: the guest kernel has none. No SMAP: QEMU 7.2 gets IRET in
# ring 3 wrong with it.
bench_cpu=max,-erms,-la57,-smap
guest_memory=256
# Fix what may vary from run to run, and addresses, too: a program's cost depends on the
# page tables that it needs. A crash must not idle for ever.
icount=(-accel tcg -icount 'shift=0,sleep=off' -smp 1 -seed 1 -rtc 'base=2000-01-01T00:00:00,clock=vm')
kernel_arguments="quiet nokaslr norandmaps panic=-1 oops=panic"

# prepare: build the programs and the initrd, if something has changed.
prepare()
{
	local root=$out/root applet
	mkdir -p "$out"
	make -s -C "$bench/program" "OUTPUT=$out" || die "the benchmark's programs do not build"
	[ "$out/bench.cpio" -ot "$out/bench" ] || return 0
	rm -rf "$root"
	mkdir -p "$root"/{bin,dev,proc,sys,tmp}
	cp "$out/bench" "$root/bin/bench"
	cp "$(command -v busybox)" "$root/bin/busybox"
	for applet in sh ls tr grep; do ln -s busybox "$root/bin/$applet"; done
	ln -s bin/bench "$root/init"
	"$LG_TOP/scripts/mkinitramfs" pack "$root" "$out/bench.cpio"
	rm -rf "$root"
}

# arguments WORD...: print the kernel arguments that pass WORDs to the measuring program.
arguments()
{
	local IFS=,
	[ $# = 0 ] || echo "bench_args=$*"
}

# plain_machine OPTIONS...: run QEMU with the same machine as tests/hostvm --icount.
plain_machine()
{
	timeout --foreground -k 5 1800 qemu-system-x86_64 -nodefaults -no-user-config -display none \
		-no-reboot -nic none -machine pc -cpu "$bench_cpu" "${icount[@]}" "$@" </dev/null
}

# host_machine OPTIONS...: run tests/hostvm with that machine.
host_machine()
{
	LG_NO_BUILD=1 "$LG_TOP/tests/hostvm" --icount --cpu "$bench_cpu" --timeout 3600 "$@" </dev/null
}

# firmware_ticks OPTIONS...: print the ticks that such a machine's firmware takes.
firmware_ticks()
{
	rm -f "$out/firmware.out"
	plain_machine -kernel "$out/firmware" -debugcon "file:$out/firmware.out" "$@" >&2
	echo $((16#$(cat "$out/firmware.out")))
}

# host_modules NAME...: put these modules of the host kernel, and those that they need, into
# $out/modules, in the order of loading.
host_modules()
{
	local kernel n=10 file
	kernel=$("$LG_TOP/scripts/fetch-kernel" 6.1-cloud) || return 1
	rm -rf "$out/modules"
	mkdir -p "$out/modules"
	modprobe -d "$kernel/root" -S "$(cat "$kernel/release")" --show-depends -a "$@" |
		sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' |
	while read -r file; do
		n=$((n + 1))
		cp "$file" "$out/modules/$n-$(basename "$file")"
	done
}

# Our guest kernel has no PCI: this machine has its virtio devices where lguest has them.
qemu_devices=microvm,acpi=off,x-option-roms=off,rtc=on

# qemu_in_host NAME MACHINE ACCEL CPU [MODULE=PARAMETERS]... -- WORD...: a side that runs the guest
# kernel in this machine's QEMU inside the host; host_modules were called before.
qemu_in_host()
{
	local name=$1 machine=$2 accel=$3 cpu=$4 parameters=()
	shift 4
	while [ "$1" != -- ]; do parameters+=("$1"); shift; done
	shift
	host_machine --no-load --qemu -plugin --qemu "$out/expensive.so,out=$out/$name.marks" \
		--add "$out/bench.cpio" --add "$out/bench" --add "$out/firmware" --add "$out/modules" \
		--add "$(command -v qemu-system-x86_64):lg/qemu-system-x86_64" \
		--add /usr/lib/x86_64-linux-gnu/qemu/accel-tcg-x86_64.so:lg/qemu/accel-tcg-x86_64.so \
		--add /usr/share/seabios/bios-256k.bin:lg/qemu/bios-256k.bin \
		--add /usr/share/qemu/bios-microvm.bin:lg/qemu/bios-microvm.bin \
		--add /usr/share/qemu/qboot.rom:lg/qemu/qboot.rom \
		--add /usr/share/qemu/linuxboot_dma.bin:lg/qemu/linuxboot_dma.bin \
		--add /usr/share/qemu/kvmvapic.bin:lg/qemu/kvmvapic.bin \
		--add "$bench/sides/in-host.sh" --add "$bench/sides/qemu-in-host" -- \
		/lg/qemu-in-host "$guest_memory" \
		"$kernel_arguments console=ttyS0 bench_end=reboot $(arguments "$@")" "$machine" "$accel" "$cpu" \
		"${parameters[@]}" >"$out/$name.txt"
}

# kvm_in_host NPT NAME MACHINE [WORD...]: the same, with KVM on the emulated machine's SVM.
kvm_in_host()
{
	host_modules kvm-amd || return 1
	qemu_in_host "$2" "$3" kvm "$bench_cpu" "kvm-amd=npt=$1" -- "${@:4}"
}

# peer_packages NAME PACKAGE...: unpack these packages of Debian 12 into the cache, and
# print the folder. Nothing is installed.
peer_packages()
{
	local name=$1 into=$LG_CACHE/peers/$1
	shift
	if [ ! -e "$into/done" ]; then
		. "$LG_TOP/scripts/apt-private.sh"
		lock "peer-$name"
		apt_refresh bookworm
		rm -rf "$into"
		mkdir -p "$into"
		say "downloading $*"
		apt_unpack bookworm "$into" "$@"
		touch "$into/done"
		unlock
	fi
	echo "$into/root"
}
