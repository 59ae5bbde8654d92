# SPDX-License-Identifier: GPL-2.0-only
#
# make          lg.ko for the running kernel (or KVER=...), the launcher, the guest kernel
# make help     everything else
#
# Everything is built in build/, and lg.ko for the running kernel is copied here, too.
# Downloads and slow builds are kept in the cache, see scripts/lib.sh. Each target
# first installs the Debian packages that it needs and this machine lacks.

KVER ?= $(shell uname -r)
PREFIX ?= /usr/local
BUILD := $(CURDIR)/build

all: modules launcher guest

help:
	@echo 'make               lg.ko (for KVER, default: the running kernel), launcher, guest kernel'
	@echo 'make modules       lg.ko only; KVER=6.1-cloud and its like build for a test host'
	@echo 'make launcher      build/lguest only'
	@echo 'make guest         build/guest-6.12/bzImage only'
	@echo 'make debian-guest  build/debian-12.img, a disk with a small Debian for a guest'
	@echo 'make demo          a shell in a guest of a Debian host under QEMU; poweroff ends it.'
	@echo '                   Its kernel is that of the host, as Debian ships it; with GUEST=6.12'
	@echo '                   our own, which is built first'
	@echo "make demo CMD='uname -a'    one command there"
	@echo 'make check         the tests; make check-long: all of them'
	@echo 'make check CHANGED=45   the tests, and for so many minutes in all the long ones'
	@echo '                   that have not passed with what they are made from now'
	@echo 'make bench         what lguest costs, against native; make bench-all: and against its peers'
	@echo 'make kselftest-install KDIR=/path/to/linux   the selftests into a kernel tree, as'
	@echo '                   tools/testing/selftests/lguest: see tests/README.md'
	@echo 'make install       the launcher, its man page and completion into PREFIX (default'
	@echo '                   /usr/local), lg.ko into /lib/modules, a udev rule for the group lguest'
	@echo 'make clean         remove build/; the cache stays'

modules:
	@scripts/deps build
	@scripts/build-module $(KVER)
	@[ '$(KVER)' != "$$(uname -r)" ] || cp build/lg/$(KVER)/lg.ko lg.ko

launcher:
	@scripts/deps build
	@$(MAKE) --no-print-directory -C launcher O=$(BUILD)

guest:
	@scripts/deps guest
	@scripts/build-guest
	@scripts/mkinitramfs guest build/guest-6.12/initrd.img

# Make an image only if there is none: the old one may have been used, and so changed.
debian-guest:
	@scripts/deps debian
	@mkdir -p build
	@[ -e build/debian-12.img ] || scripts/build-debian-guest build/debian-12.img

# Pass the command in the environment, so that quotes in it survive. Without SMAP, because QEMU
# before 8.1 reads the stack of an IRET in ring 3 as the supervisor, and a stock kernel has some.
export CMD
ifeq ($(GUEST),6.12)
demo: demo_host := tests/hostvm
demo: demo_guest := lg-run
else
demo: demo_host := tests/hostvm --cpu max,-smap --no-guest --stock 6.1-cloud
demo: demo_guest := lg-run --mem 256m --kernel /lg/stock/6.1-cloud
endif
demo:
	@[ -z '$(GUEST)' ] || [ '$(GUEST)' = 6.12 ] || { echo 'make demo: GUEST can be 6.12, or nothing' >&2; exit 2; }
	@scripts/deps build $(if $(GUEST),guest) hostvm
	@if [ -n "$$CMD" ]; then $(demo_host) -- $(demo_guest) -- sh -c "$$CMD"; \
	else $(demo_host) --tty --timeout 0 -- $(demo_guest); fi

check:
	@scripts/deps build guest hostvm bochs test $(if $(CHANGED),debian)
	@tests/run $(if $(CHANGED),--changed $(CHANGED))

check-long:
	@scripts/deps build guest hostvm bochs test debian
	@tests/run --long

bench:
	@scripts/deps build guest hostvm bench
	@tests/bench/run

bench-all:
	@scripts/deps build guest hostvm bench
	@tests/bench/run --all

# Copy only: the kernel tree's own make builds the selftests.
kselftest-install:
	@$(MAKE) --no-print-directory -C tests/selftests lay KDIR='$(abspath $(KDIR))'

install: modules launcher
	install -D -m 755 build/lguest $(DESTDIR)$(PREFIX)/bin/lguest
	install -D -m 644 launcher/lguest.1 $(DESTDIR)$(PREFIX)/share/man/man1/lguest.1
	install -D -m 644 launcher/completion/lguest.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/lguest
	install -D -m 644 packaging/60-lguest.rules $(DESTDIR)/lib/udev/rules.d/60-lguest.rules
	install -D -m 644 build/lg/$(KVER)/lg.ko $(DESTDIR)/lib/modules/$(KVER)/updates/lg.ko
	@[ -n '$(DESTDIR)' ] || depmod $(KVER)

clean:
	rm -rf build lg.ko

.PHONY: all help modules launcher guest debian-guest demo check check-long bench bench-all kselftest-install install clean
