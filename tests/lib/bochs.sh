# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034
#
# The host VM in Bochs, the strict machine: a real TLB with global pages, ring-0 faults
# of SYSRET and IRET, #GP wherever silicon has one. No virtio: the kernel comes from a
# CD, the console goes to a serial file, and COMMAND's streams come out of port 0xe9
# (tests/lib/vm/port-e9.c).

# Skip initcalls that take long in an interpreter, and that lg.ko does not need.
skip_initcalls=load_system_certificate_list,crypto_algapi_init,jent_mod_init,trace_eval_init
skip_initcalls+=,bpf_tcp_ca_kfunc_init,bpf_dummy_struct_ops_init,init_kprobe_trace

# bochs_cd: make RUN/boot.iso, which boots the kernel.
bochs_cd()
{
	local iso=$run/iso
	mkdir -p "$iso"
	cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$iso/"
	cp -L "$kernel" "$iso/vmlinuz"
	gzip -1 <"$run/initrd" >"$iso/initrd.gz"
	cat >"$iso/isolinux.cfg" <<EOF
DEFAULT l
PROMPT 0
LABEL l
KERNEL /vmlinuz
APPEND initrd=/initrd.gz console=ttyS0,115200 loglevel=$([ -n "$verbose" ] && echo 7 || echo 5) panic=-1 oops=panic reboot=t tsc=reliable no_timer_check pci=off cryptomgr.notests=1 initcall_blacklist=$skip_initcalls $append
EOF
	xorriso -as mkisofs -quiet -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 \
		-boot-info-table -o "$run/boot.iso" "$iso" 2>"$run/emulator.log"
	rm -rf "$iso"
}

bochs_config()
{
	cat <<EOF
plugin_ctrl: unmapped=1, biosdev=1, extfpuirq=0, iodebug=0, speaker=0, parallel=0, gameport=0
cpu: model=${cpu:-broadwell_ult}, count=${smp:-2}, ips=50000000, reset_on_triple_fault=0, mwait_is_nop=1, ignore_bad_msrs=1
memory: guest=256, host=256
romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
vga: extension=none, update_freq=1
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=$run/boot.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$run/console.log
port_e9_hack: enabled=1
display_library: rfb, options="timeout=0"
clock: sync=none, time0=946684800
log: $run/bochs.log
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
EOF
}

# take_apart: read port-e9's lines from standard input, and write each stream to its file.
take_apart()
{
	perl -ne '
		BEGIN { $| = 1; my ($run) = @ARGV; @ARGV = ();
			my $n = 0;
			for my $name ("stdout", "stderr", "control", "files.tar") {
				open $to[++$n], ">>:raw:unix", "$run/$name" or die; } }
		syswrite $to[$1], pack("H*", $2) if /^@([1-4]) ([0-9a-f]*)$/;
	' "$run"
}

# save_stdin FILE: save COMMAND's input, which goes into the machine with the image.
save_stdin() { [ ! -t 0 ] && cat >"$1"; }

# start_machine: as in qemu.sh, but $writer writes the streams.
start_machine()
{
	local -a limit=()
	[ "$tty" = 0 ] || fail "Bochs has no terminal for COMMAND"
	[ -z "$icount$gdb$monitor" ] || fail "Bochs has no --icount, --gdb or --monitor here"
	bochs_cd || fail "cannot make the boot CD (see $run/emulator.log)"
	bochs_config >"$run/bochsrc"
	# Debian's Bochs has its debugger built in, which waits for "c". The end of its input
	# would end the machine, so keep the input open and silent.
	echo c >"$run/debugger"
	mkfifo "$run/silence"
	[ "$timeout" = 0 ] || limit=(timeout --foreground -k 5 "$timeout")
	exec 5<>"$run/silence"
	mkfifo "$run/port-e9"
	take_apart <"$run/port-e9" &
	writer=$!
	"${limit[@]}" bochs -q -f "$run/bochsrc" -rc "$run/debugger" <&5 \
		>"$run/port-e9" 2>>"$run/emulator.log" &
	emulator=$!
}
