// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who uses the name of a file? From watch_names() on each system call that takes a name is
 * refused and noted. A seccomp filter does it, so no library's calls escape.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/compiler.h"
#include "unit.h"
#include "watch.h"

/* They take a path or an address. newfstatat() is treated apart, since fstat() uses it. */
static const int takes_name[] = {
	SYS_open, SYS_openat, SYS_openat2, SYS_creat, SYS_socket, SYS_connect, SYS_bind,
	SYS_stat, SYS_lstat, SYS_access, SYS_faccessat, SYS_faccessat2, SYS_readlink,
	SYS_readlinkat, SYS_statx, SYS_statfs, SYS_truncate, SYS_link, SYS_linkat, SYS_symlink,
	SYS_symlinkat, SYS_unlink, SYS_unlinkat, SYS_rename, SYS_renameat, SYS_renameat2,
	SYS_mkdir, SYS_mkdirat, SYS_rmdir, SYS_mknod, SYS_mknodat, SYS_chmod, SYS_fchmodat,
	SYS_chown, SYS_lchown, SYS_fchownat, SYS_chdir, SYS_chroot, SYS_mount, SYS_umount2,
	SYS_getxattr, SYS_setxattr, SYS_execve, SYS_execveat, SYS_open_by_handle_at,
};

static atomic_int noted;	/* the number of the first such call; 0: none */

static void note(int number, siginfo_t *info, void *context)
{
	int none = 0;

	(void)number;
	atomic_compare_exchange_strong(&noted, &none, info->si_syscall);
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = -EPERM;
}

#define LOAD(field)	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))

/* Start to refuse and note such calls, in all threads, for good. */
void watch_names(void)
{
	struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
	enum { NAMES = ARRAY_SIZE(takes_name), ALLOW = NAMES + 4, TRAP, SIZE };
	struct sock_filter filter[SIZE] = {
		LOAD(nr),
		[NAMES + 1] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_newfstatat, 0, 2),
		[NAMES + 2] = LOAD(args[3]),
		[NAMES + 3] = BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, AT_EMPTY_PATH, 0, 1),
		[ALLOW] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		[TRAP] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	};
	struct sock_fprog program = { SIZE, filter };
	unsigned int i;

	for (i = 1; i <= NAMES; i++)
		filter[i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, takes_name[i - 1],
							 TRAP - i - 1, 0);
	sigaction(SIGSYS, &action, NULL);
	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
				 &program), 0);
}

/* Return: the number of the first such system call since then; 0: there was none. */
int watch_noted(void)
{
	return noted;
}
