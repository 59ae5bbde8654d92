// SPDX-License-Identifier: GPL-2.0-only
/* A fake lg.ko, for tests of the launcher. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_lg.h"
#include "lguest_abi.h"
#include "unit.h"
#include "wrap.h"

struct fake_lg fake_lg = {
	.info = { .api_version = LGUEST_API_VERSION, .abi_version = LGUEST_ABI_VERSION,
		  .run_size = 4096 },
};

/* Return: a new VM, whose descriptor is @number. */
static int new_vm(int number)
{
	int memory = memfd_create("vm", 0);

	dup2(memory, number);
	close(memory);
	return number;
}

int __wrap_open(const char *path, int flags, ...)
{
	if (strcmp(path, LGUEST_DEVICE))
		return __real_open(path, flags, 0600);
	if (fake_lg.open_error) {
		errno = fake_lg.open_error;
		return -1;
	}
	return new_vm(VM_FD);
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *argument;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	if (fd < OTHER_VM_FD || fd >= VCPU_FD + LGUEST_MAX_VCPUS)
		return __real_ioctl(fd, request, argument);
	if (request == fake_lg.fail) {
		errno = ENOSPC;
		return -1;
	}
	if (request == LGUEST_CREATE_VM)
		return new_vm(fd == VM_FD ? OTHER_VM_FD : VM_FD);
	if (fd > VM_FD)
		return fake_vcpu_ioctl(fd - VCPU_FD, request, argument);
	if (request != LGUEST_GET_INFO)
		return fake_vm_ioctl(request, argument);
	memcpy(argument, &fake_lg.info, sizeof(fake_lg.info));
	return 0;
}

/* Make the virtual CPU VCPU_FD + @number. Return: its run page, for the guest. */
struct lguest_run *fake_vcpu(unsigned int number)
{
	int memory = memfd_create("vcpu", 0);

	ck_assert_int_eq(ftruncate(memory, 4096), 0);
	dup2(memory, VCPU_FD + number);
	close(memory);
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, VCPU_FD + number, 0);
}

/* Make standard output a pipe. Return: the pipe's other end. */
int catch_output(int flags)
{
	int out[2];

	ck_assert_int_eq(pipe2(out, flags), 0);
	dup2(out[1], STDOUT_FILENO);
	close(out[1]);
	return out[0];
}

/* A thread that types Ctrl-A x after a while. */
void *type_ctrl_a_x(void *terminal)
{
	usleep(200000);
	ck_assert_int_eq(write(*(int *)terminal, "\1x", 2), 2);
	return NULL;
}
