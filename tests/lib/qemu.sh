# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034
#
# The host VM in QEMU, always emulated (tcg): the point is to need no hardware help.

# start_machine: start it, its process number in $emulator, and in $writer that of who
# writes stdout, stderr, control and files.tar in the run's folder. Descriptors 3 and 4 are
# COMMAND's input and, where it has a terminal, its output.
start_machine()
{
	local -a qemu limit=()
	local n ioeventfd=on

	qemu=(qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -nic none
		-machine pc -m "$mem" -cpu "${cpu:-max}" -kernel "$kernel" -initrd "$run/initrd")
	# A busy machine may give the emulator no turn while the kernel tries its timer.
	append="console=ttyS0,115200 loglevel=$([ -n "$verbose" ] && echo 7 || echo 5) panic=-1 oops=panic no_timer_check $append"
	if [ -n "$icount" ]; then
		# What may vary from run to run is fixed; a crash must not idle for ever.
		qemu+=(-accel tcg -icount 'shift=0,sleep=off' -smp "${smp:-1}" -seed 1
			-rtc 'base=2000-01-01T00:00:00,clock=vm')
		append="nokaslr $append"
		# A queue is served where the guest kicks it, not by another thread some
		# time later; nor may COMMAND's input come at a time of its own.
		ioeventfd=off
	else
		qemu+=(-accel 'tcg,thread=multi' -smp "${smp:-2}")
	fi
	qemu+=(-append "$append")

	qemu+=(-serial "file:$run/console.log" -device "virtio-serial-pci,ioeventfd=$ioeventfd")
	# Descriptors 0 and 1 of QEMU are a person's terminal, or COMMAND's input.
	if [ "$tty" = 1 ]; then
		qemu+=(-chardev 'stdio,id=tty,signal=off' -device 'virtconsole,chardev=tty,nr=0'
			-chardev 'null,id=in')
	elif [ -n "$icount" ]; then
		qemu+=(-chardev 'null,id=in')
	else
		qemu+=(-chardev 'stdio,id=in,signal=off')
	fi
	qemu+=(-chardev "file,id=out,path=$run/stdout" -chardev "file,id=err,path=$run/stderr"
		-chardev "file,id=control,path=$run/control" -chardev "file,id=files,path=$run/files.tar")
	n=0
	for port in in out err control files; do
		n=$((n + 1))
		qemu+=(-device "virtserialport,chardev=$port,nr=$n,name=lg.$port")
	done
	for disk in "${disks[@]}"; do
		qemu+=(-drive "file=$disk,format=raw,if=virtio")
	done
	qemu+=("${qemu_words[@]}")
	if [ -n "$monitor" ]; then qemu+=(-monitor "unix:$monitor,server=on,wait=off"); fi
	if [ -n "$gdb" ]; then
		qemu+=(-s -S)
		timeout=0
		say "waiting for: gdb -ex 'target remote :1234' -ex continue"
		say "then, with ADDRESS from /sys/module/lg/sections/.text: add-symbol-file ${module:-lg.ko} ADDRESS"
	fi
	[ "$timeout" = 0 ] || limit=(timeout --foreground -k 5 "$timeout")
	printf '%q ' "${qemu[@]}" >"$run/command"
	"${limit[@]}" "${qemu[@]}" <&3 >&4 2>"$run/emulator.log" &
	emulator=$!
	writer=$emulator
}
