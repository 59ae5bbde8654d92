// SPDX-License-Identifier: GPL-2.0-only
/* userland's tests of processes and threads. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userland.h"

/* --- Processes ------------------------------------------------------------------- */

bool pipes_carry_all(void)
{
	unsigned int sum = 0, want = 0, i;
	unsigned char buffer[8192];
	int ends[2];
	ssize_t got;

	if (pipe(ends))
		return false;
	if (fork() == 0) {
		close(ends[0]);
		for (i = 0; i < 64; i++) {
			memset(buffer, i, sizeof(buffer));
			if (write(ends[1], buffer, sizeof(buffer)) != sizeof(buffer))
				_exit(1);
		}
		_exit(0);
	}
	close(ends[1]);
	for (i = 0; i < 64; i++)
		want += i * sizeof(buffer);
	while ((got = read(ends[0], buffer, sizeof(buffer))) > 0)
		while (got)
			sum += buffer[--got];
	close(ends[0]);
	wait(NULL);
	return sum == want;
}

bool round_trips(void)
{
	int to[2], from[2], i, status;
	char byte = 0;

	if (pipe(to) || pipe(from))
		return false;
	if (fork() == 0) {
		close(to[1]);
		while (read(to[0], &byte, 1) == 1) {
			byte++;
			if (write(from[1], &byte, 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	for (i = 0; i < 500; i++)
		if (write(to[1], &byte, 1) != 1 || read(from[0], &byte, 1) != 1)
			return false;
	close(to[1]);
	wait(&status);
	return byte == (char)500 && status == 0;
}

bool children_have_their_own_memory(void)
{
	volatile int *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	volatile int *private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int i, status, good = 0;

	*private = 1;
	for (i = 0; i < 40; i++) {
		if (fork() == 0) {
			bool kept = *private == 1;

			*private = 2;
			*shared += *private;
			_exit(kept ? 42 : 1);
		}
		wait(&status);
		good += WIFEXITED(status) && WEXITSTATUS(status) == 42;
	}
	return good == 40 && *private == 1 && *shared == 80;
}

bool many_at_once(void)
{
	int i, status, good = 0;

	for (i = 0; i < 16; i++)
		if (fork() == 0) {
			volatile char *memory = malloc(MIB / 4);
			unsigned int j;

			for (j = 0; j < MIB / 4; j += PAGE)
				memory[j] = i;
			sched_yield();
			for (j = 0; j < MIB / 4; j += PAGE)
				if (memory[j] != i)
					_exit(255);
			_exit(i);
		}
	while (wait(&status) > 0)
		good += WIFEXITED(status) && WEXITSTATUS(status) < 16;
	return good == 16;
}

bool exec_passes_arguments(void)
{
	int i, status, good = 0;

	for (i = 0; i < 10; i++) {
		if (fork() == 0) {
			execl("/proc/self/exe", "userland", "--exit", "17", NULL);
			_exit(1);
		}
		wait(&status);
		good += WIFEXITED(status) && WEXITSTATUS(status) == 17;
	}
	return good == 10;
}

bool death_by_signal_is_told(void)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		for (;;)
			pause();
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* --- Threads ------------------------------------------------------------------------ */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static unsigned int counter, turn;
static __thread unsigned int mine;

static void *count(void *argument)
{
	int i;

	for (i = 0; i < 2000; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
		mine++;
		if (i % 100 == 0)
			sched_yield();
	}
	return (void *)(uintptr_t)(mine + (uintptr_t)argument);
}

bool threads_count_together(void)
{
	pthread_t thread[4];
	bool good = true;
	unsigned int i;
	void *result;

	counter = 0;
	for (i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, count, (void *)(uintptr_t)i);
	for (i = 0; i < 4; i++) {
		pthread_join(thread[i], &result);
		good &= result == (void *)(uintptr_t)(2000 + i);
	}
	return good && counter == 8000 && mine == 0;
}

static void *take_turns(void *argument)
{
	unsigned int me = (uintptr_t)argument, i;

	for (i = 0; i < 200; i++) {
		pthread_mutex_lock(&mutex);
		while (turn % 2 != me)
			pthread_cond_wait(&turned, &mutex);
		turn++;
		pthread_cond_signal(&turned);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

bool threads_take_turns(void)
{
	pthread_t thread;

	turn = 0;
	pthread_create(&thread, NULL, take_turns, (void *)1);
	take_turns((void *)0);
	pthread_join(thread, NULL);
	return turn == 400;
}
