// SPDX-License-Identifier: GPL-2.0-only
/*
 * lguest list: this user's guests.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/answer.h"
#include "control/client.h"
#include "base/clock.h"
#include "command/commands.h"
#include "base/exit_status.h"
#include "base/file.h"
#include "base/message.h"
#include "control/runtime.h"

/* After so long for all guests together, one that has not answered is listed as such. */
#define PATIENCE_MS	2000

/* A guest that was asked. */
struct guest {
	char *name;
	int fd;			/* -1: its launcher accepts nobody; -ENOENT: there is none */
	pid_t pid;
};

/* Under the lock of the directory, which is given up before we wait for answers. */
static void ask(struct runtime *runtime, struct guest *guest)
{
	guest->fd = runtime_connect(runtime, guest->name, &guest->pid);
	if (guest->fd >= 0)
		client_send(guest->fd, "info");
	else if (guest->fd != -EAGAIN)
		guest->fd = -ENOENT;
}

/* Make what is known of a guest: its answer, or that there is none. */
static json_t *hear(struct guest *guest, int64_t until)
{
	json_t *answer = guest->fd >= 0 ? client_receive(guest->fd, until) : NULL;

	file_close(&guest->fd);
	if (answer && json_is_true(json_object_get(answer, "ok"))) {
		json_object_del(answer, "ok");
		json_object_del(answer, "version");
		return answer;
	}
	json_decref(answer);
	return json_pack("{s:s, s:i, s:s}", "name", guest->name, "pid", (int)guest->pid, "state",
			 "silent");
}

static json_t *hear_all(struct guest *guests, int count)
{
	int64_t until = now_ms() + PATIENCE_MS;
	json_t *list = json_array();
	int i;

	for (i = 0; i < count; i++)
		if (guests[i].fd != -ENOENT)
			json_array_append_new(list, hear(&guests[i], until));
	return list;
}

/* Return: NULL after telling the person. */
static json_t *look_at_all(struct runtime *runtime)
{
	struct guest *guests = NULL;
	int i, count;
	json_t *list = NULL;
	char **names = NULL;

	count = runtime_names(runtime, &names);
	if (count >= 0)
		guests = calloc(count + 1, sizeof(*guests));
	if (count >= 0 && !guests)
		no_memory();
	for (i = 0; guests && i < count; i++) {
		guests[i].name = names[i];
		ask(runtime, &guests[i]);
	}
	runtime_close(runtime);
	if (guests)
		list = hear_all(guests, count);
	free(guests);
	if (count >= 0)
		runtime_free_names(names, count);
	return list;
}

/* Write the two largest units, as in 3d04h. */
static void write_time(char *text, size_t size, long long seconds)
{
	if (seconds < 60)
		snprintf(text, size, "%llds", seconds);
	else if (seconds < 3600)
		snprintf(text, size, "%lldm%02llds", seconds / 60, seconds % 60);
	else if (seconds < 24 * 3600)
		snprintf(text, size, "%lldh%02lldm", seconds / 3600, seconds / 60 % 60);
	else
		snprintf(text, size, "%lldd%02lldh", seconds / (24 * 3600), seconds / 3600 % 24);
}

static void print_guest(const char *format, json_t *guest)
{
	const char *name = "", *state = "", *kernel = "-";
	char pid_text[16], cpus_text[16] = "-", memory_text[24] = "-", time_text[32] = "-";
	json_int_t memory = 0, seconds = -1;
	int pid = 0, cpus = 0;

	json_unpack(guest, "{s:s, s:i, s:s, s?I, s?I, s?i, s?s}", "name", &name, "pid", &pid,
		    "state", &state, "memory", &memory, "uptime", &seconds, "cpus", &cpus,
		    "kernel", &kernel);
	snprintf(pid_text, sizeof(pid_text), "%d", pid);
	if (cpus)
		snprintf(cpus_text, sizeof(cpus_text), "%d", cpus);
	if (memory)
		snprintf(memory_text, sizeof(memory_text), "%lldM", (long long)memory >> 20);
	if (seconds >= 0)
		write_time(time_text, sizeof(time_text), seconds);
	printf(format, name, pid_text, state, cpus_text, memory_text, time_text, kernel);
}

static void print_table(const json_t *list)
{
	const char *format = "%-20s %8s %-8s %4s %8s %8s  %s\n";
	json_t *guest;
	size_t i;

	if (!json_array_size(list))
		return;
	printf(format, "NAME", "PID", "STATE", "CPUS", "MEMORY", "UPTIME", "KERNEL");
	json_array_foreach(list, i, guest)
		print_guest(format, guest);
}

/**
 * command_list() - lguest list [--json]
 * @argc: words
 * @argv: the words
 *
 * Return: the exit status.
 */
int command_list(int argc, char **argv)
{
	struct runtime runtime;
	json_t *list;
	int error;

	if (argc > 1) {
		misused("'%s': lguest list takes nothing but --json", argv[1]);
		return EXIT_USAGE;
	}
	error = runtime_open(&runtime, false);
	if (error && error != -ENOENT)
		return EXIT_FAILURE;
	list = error ? json_array() : look_at_all(&runtime);
	if (list && message_json) {
		answer_print(list);
	} else if (list) {
		print_table(list);
	}
	json_decref(list);
	return list ? EXIT_SUCCESS : EXIT_FAILURE;
}
