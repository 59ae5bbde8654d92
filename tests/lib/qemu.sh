# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034
#
# The host VM in QEMU, always emulated (tcg): lguest must need no help from hardware.

# start_machine: start the machine. Sets $emulator to its process number, and $writer to
# that of the process that writes stdout, stderr, control and files.tar in the run's folder.
# Descriptors 3 and 4 are COMMAND's input and, where it has a terminal, its output.
start_machine()
{
	local -a qemu limit=()
	local n ioeventfd=on

	qemu=(qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -nic none
		-machine pc -m "$mem" -cpu "${cpu:-max}" -kernel "$kernel" -initrd "$run/initrd")
	# no_timer_check: on a busy machine the emulator may get no turn while the kernel tests it.
	append="console=ttyS0,115200 loglevel=$([ -n "$verbose" ] && echo 7 || echo 5) panic=-1 oops=panic no_timer_check $append"
	if [ -n "$icount" ]; then
		# Fix what may vary from run to run. sleep=off: a crash must not idle for ever.
		qemu+=(-accel tcg -icount 'shift=0,sleep=off' -smp "${smp:-1}" -seed 1
			-rtc 'base=2000-01-01T00:00:00,clock=vm')
		append="nokaslr $append"
		# Serve a queue at once when the machine kicks it, not in another thread some
		# time later. For the same reason COMMAND has no input (below).
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
