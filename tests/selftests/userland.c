// SPDX-License-Identifier: GPL-2.0-only
/*
 * userland: what programs do, in a guest: processes, signals, threads, memory,
 * system calls of all kinds, floating point. Built for 64 and for 32 bits.
 *
 * Runs as well on any Linux, where it must pass too. Fails where the guest's
 * kernel, or the world switch under it, loses or invents a bit of state.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "userland.h"

#define SECONDS	60	/* the most that one test may take */

static volatile sig_atomic_t signalled;
static void *volatile fault_address;
static volatile int fault_code;
static sigjmp_buf out_of_fault;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	(void)context;
	signalled = signal;
	fault_address = info->si_addr;
	fault_code = info->si_code;
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
	on_signal(signal, info, context);
	siglongjmp(out_of_fault, 1);
}

static void handle(int signal, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	sigaction(signal, &action, NULL);
}

/* Does this end in SIGNAL? */
#define FAULTS(signal, what) ({					\
	signalled = 0;						\
	handle(signal, on_fault);				\
	if (!sigsetjmp(out_of_fault, 1)) {			\
		what;						\
	}							\
	signalled == (signal);					\
})

/* --- Signals and exceptions ------------------------------------------------------- */

static bool alarm_interrupts_a_loop(void)
{
	struct itimerval timer = { .it_value = { .tv_usec = 50000 } };

	handle(SIGALRM, on_signal);
	signalled = 0;
	setitimer(ITIMER_REAL, &timer, NULL);
	while (!signalled)
		;
	return signalled == SIGALRM;
}

static bool many_signals(void)
{
	int i;

	handle(SIGUSR1, on_signal);
	for (i = 0; i < 300; i++) {
		signalled = 0;
		raise(SIGUSR1);
		if (signalled != SIGUSR1)
			return false;
	}
	return true;
}

static bool segv_tells_the_address(void)
{
	volatile char *nothing = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool good = FAULTS(SIGSEGV, *(nothing + 5) = 1);

	good &= fault_address == nothing + 5 && fault_code == SEGV_ACCERR;
	munmap((void *)nothing, PAGE);
	good &= FAULTS(SIGSEGV, (void)*(nothing + 7));
	return good && fault_address == nothing + 7 && fault_code == SEGV_MAPERR;
}

static bool division_by_zero(void)
{
	volatile int zero = 0, one = 1;

	return FAULTS(SIGFPE, one /= zero) && fault_code == FPE_INTDIV;
}

static bool undefined_instruction(void)
{
	return FAULTS(SIGILL, asm volatile("ud2"));
}

static bool privileged_instruction(void)
{
	return FAULTS(SIGSEGV, asm volatile("hlt")) && FAULTS(SIGSEGV, asm volatile("cli"));
}

static bool breakpoint_instruction(void)
{
	handle(SIGTRAP, on_signal);
	signalled = 0;
	asm volatile("int3");
	return signalled == SIGTRAP;
}

static bool kernel_memory_is_out_of_reach(void)
{
#ifdef __x86_64__
	return FAULTS(SIGSEGV, (void)*(volatile char *)0xffffffff81000000) &&
	       FAULTS(SIGSEGV, (void)*(volatile char *)0xffff888000001000) &&
	       FAULTS(SIGSEGV, (void)*(volatile char *)0xffff800000000000) &&
	       FAULTS(SIGSEGV, (void)*(volatile char *)0x900000000000);
#else
	return FAULTS(SIGSEGV, (void)*(volatile char *)0xfffff000);
#endif
}

/* Steps of a child that counts to 20: one #DB each. */
static bool single_step(void)
{
	int status, steps = 0;
	pid_t child = fork();

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		asm volatile("mov $20, %%ecx; 1: dec %%ecx; jnz 1b" : : : "ecx");
		_exit(3);
	}
	waitpid(child, &status, 0);
	while (WIFSTOPPED(status) && steps < 5000) {
		ptrace(PTRACE_SINGLESTEP, child, NULL, NULL);
		waitpid(child, &status, 0);
		steps++;
	}
	if (!WIFEXITED(status))
		kill(child, SIGKILL);
	return WIFEXITED(status) && WEXITSTATUS(status) == 3 && steps > 40;
}

/* --- Memory -------------------------------------------------------------------------- */

static bool mapped_file_is_the_file(void)
{
	char name[] = "/tmp/userland.XXXXXX", byte = 0;
	int fd = mkstemp(name);
	char *shared, *private;
	bool good;

	if (fd < 0 || ftruncate(fd, 4 * PAGE))
		return false;
	unlink(name);
	shared = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	private = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	shared[2 * PAGE] = 'a';
	good = private[2 * PAGE] == 'a';
	private[2 * PAGE] = 'b';
	good &= shared[2 * PAGE] == 'a';
	good &= pread(fd, &byte, 1, 2 * PAGE) == 1 && byte == 'a';
	good &= pwrite(fd, "c", 1, PAGE) == 1 && shared[PAGE] == 'c' && private[PAGE] == 'c';
	munmap(shared, 4 * PAGE);
	munmap(private, 4 * PAGE);
	close(fd);
	return good;
}

static bool rights_change_at_once(void)
{
	volatile char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile int i;	/* changes behind siglongjmp()'s back */

	for (i = 0; i < 50; i++) {
		*page = i;
		mprotect((void *)page, PAGE, PROT_READ);
		if (*page != (char)i || !FAULTS(SIGSEGV, *page = 0) || *page != (char)i)
			return false;
		mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE);
	}
	return true;
}

static bool code_can_be_written_and_run(void)
{
	/* mov $N, %eax; ret */
	unsigned char code[] = { 0xb8, 0, 0, 0, 0, 0xc3 };
	unsigned char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int i;

	if (!FAULTS(SIGSEGV, ((int (*)(void))page)()))
		return false;
	for (i = 1; i < 20; i++) {
		code[1] = i;
		mprotect(page, PAGE, PROT_READ | PROT_WRITE);
		memcpy(page, code, sizeof(code));
		mprotect(page, PAGE, PROT_READ | PROT_EXEC);
		if (((int (*)(void))page)() != i)
			return false;
	}
	return true;
}

static bool memory_moves_and_goes(void)
{
	const size_t size = 4 * MIB;
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool good = true;
	size_t i;

	for (i = 0; i < size; i += PAGE)
		at[i] = i / PAGE;
	at = mremap(at, size, 2 * size, MREMAP_MAYMOVE);
	if (at == MAP_FAILED)
		return false;
	for (i = 0; i < size; i += PAGE)
		good &= at[i] == (char)(i / PAGE);
	for (; i < 2 * size; i += PAGE)
		good &= at[i] == 0;
	madvise(at, size, MADV_DONTNEED);
	for (i = 0; i < size; i += PAGE)
		good &= at[i] == 0;
	munmap(at, 2 * size);
	return good && FAULTS(SIGSEGV, (void)*(volatile char *)at);
}

/* --- System calls, time, state -------------------------------------------------------- */

static bool system_calls_by_number(void)
{
	return syscall(SYS_getpid) == getpid() && syscall(100000) == -1 && errno == ENOSYS;
}

/* In both kinds of program: number 20 is getpid() of 32-bit programs. */
static bool int_0x80(void)
{
	long result;

	asm volatile("int $0x80" : "=a" (result) : "0" (20) : "memory"
#ifdef __x86_64__
		     , "r8", "r9", "r10", "r11"
#endif
	);
	return result == getpid();
}

static bool time_goes_on(void)
{
	struct timespec a, b, pause = { .tv_nsec = 20000000 };
	long long ns;
	int i;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < 10000; i++) {
		clock_gettime(CLOCK_MONOTONIC, &b);
		if (b.tv_sec < a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec < a.tv_nsec))
			return false;
		a = b;
	}
	nanosleep(&pause, NULL);
	clock_gettime(CLOCK_MONOTONIC, &b);
	ns = (b.tv_sec - a.tv_sec) * 1000000000LL + b.tv_nsec - a.tv_nsec;
	return ns >= 20000000 && ns < 10000000000LL && time(NULL) > 946684800;
}

/* Two processes whose floating-point registers differ, switched often. */
static bool floating_point_is_everyones_own(void)
{
	int status, i, child;
	volatile double value;
	double sum = 0;

	child = fork();
	value = child ? 1.5 : 2.25;
	for (i = 0; i < 2000; i++) {
		sum += value;
		if (i % 20 == 0)
			sched_yield();
	}
	if (child == 0)
		_exit(sum != 2.25 * 2000);
	waitpid(child, &status, 0);
	return sum == 1.5 * 2000 && status == 0;
}

static void on_signal_that_calculates(int signal)
{
	volatile double value = 3.25;
	int i;

	for (i = 0; i < 100; i++)
		value = value * 1.0001;
	signalled = signal;
}

static bool floating_point_survives_signals(void)
{
	volatile double sum = 0;
	int i;

	signal(SIGUSR2, on_signal_that_calculates);
	for (i = 0; i < 200; i++) {
		sum += 0.5;
		raise(SIGUSR2);
	}
	return sum == 100;
}

static bool registers_survive_system_calls(void)
{
#ifdef __x86_64__
	unsigned long good = 0;
	int i;

	for (i = 0; i < 1000; i++)
		asm volatile("mov $0x1111, %%rbx; mov $0x2222, %%r12; mov $0x3333, %%r13\n"
			     "mov $0x4444, %%r14; mov $0x5555, %%r8; mov $0x6666, %%r9\n"
			     "mov $0x7777, %%r10; mov $39, %%eax; stc; syscall\n"
			     "jnc 1f\n"
			     "add %%r12, %%rbx; add %%r13, %%rbx; add %%r14, %%rbx\n"
			     "add %%r8, %%rbx; add %%r9, %%rbx; add %%r10, %%rbx\n"
			     "cmp $0x1dddc, %%rbx; jne 1f; inc %0\n"
			     "1:" : "+rm" (good) : : "rax", "rbx", "rcx", "r8", "r9", "r10", "r11",
			     "r12", "r13", "r14", "memory", "cc");
	return good == 1000;
#else
	unsigned long good = 0;
	int i;

	for (i = 0; i < 1000; i++)
		asm volatile("mov $0x1111, %%ecx; mov $0x2222, %%edx; mov $20, %%eax\n"
			     "int $0x80\n"
			     "add %%edx, %%ecx; cmp $0x3333, %%ecx; jne 1f; inc %0\n"
			     "1:" : "+rm" (good) : : "eax", "ecx", "edx", "memory", "cc");
	return good == 1000;
#endif
}

static const struct {
	const char *name;
	bool (*run)(void);
} tests[] = {
#define TEST(name) { #name, name }
	TEST(pipes_carry_all),
	TEST(round_trips),
	TEST(children_have_their_own_memory),
	TEST(many_at_once),
	TEST(exec_passes_arguments),
	TEST(death_by_signal_is_told),
	TEST(alarm_interrupts_a_loop),
	TEST(many_signals),
	TEST(segv_tells_the_address),
	TEST(division_by_zero),
	TEST(undefined_instruction),
	TEST(privileged_instruction),
	TEST(breakpoint_instruction),
	TEST(kernel_memory_is_out_of_reach),
	TEST(single_step),
	TEST(threads_count_together),
	TEST(threads_take_turns),
	TEST(mapped_file_is_the_file),
	TEST(rights_change_at_once),
	TEST(code_can_be_written_and_run),
	TEST(memory_moves_and_goes),
	TEST(system_calls_by_number),
	TEST(int_0x80),
	TEST(time_goes_on),
	TEST(floating_point_is_everyones_own),
	TEST(floating_point_survives_signals),
	TEST(registers_survive_system_calls),
};

/* In a process of its own, which may die or hang of it. */
static bool run(bool (*test)(void))
{
	int status, tries = 0;
	pid_t child = fork();

	if (child == 0)
		_exit(!test());
	while (waitpid(child, &status, WNOHANG) == 0) {
		if (tries++ == SECONDS * 100)
			kill(child, SIGKILL);
		usleep(10000);
	}
	if (WIFSIGNALED(status))
		tap_note("signal %d", WTERMSIG(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc == 3 && !strcmp(argv[1], "--exit"))
		return atoi(argv[2]);
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		if (argc == 1 || !strcmp(argv[1], tests[i].name))
			tap_result(run(tests[i].run), "%s", tests[i].name);
	return tap_end();
}
