// SPDX-License-Identifier: GPL-2.0-only
/*
 * lguest list: this user's Guests.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "client.h"
#include "commands.h"
#include "exit_status.h"
#include "message.h"
#include "runtime.h"

/* Who does not answer is listed as such. */
#define PATIENCE_S	2

/* What is known of a Guest; NULL: it is none. */
static json_t *look_at(struct runtime *runtime, const char *name)
{
	json_t *answer;
	pid_t pid;
	int fd;

	fd = runtime_connect(runtime, name, &pid);
	if (fd < 0)
		return NULL;
	answer = client_request(fd, "info", PATIENCE_S);
	close(fd);
	if (answer && json_is_true(json_object_get(answer, "ok"))) {
		json_object_del(answer, "ok");
		return answer;
	}
	json_decref(answer);
	return json_pack("{s:s, s:i, s:s}", "name", name, "pid", (int)pid, "state", "silent");
}

static json_t *look_at_all(struct runtime *runtime)
{
	json_t *list = json_array(), *guest;
	int i, count;
	char **names;

	count = runtime_names(runtime, &names);
	if (count < 0) {
		json_decref(list);
		return NULL;
	}
	for (i = 0; i < count; i++) {
		guest = look_at(runtime, names[i]);
		if (guest)
			json_array_append_new(list, guest);
	}
	runtime_free_names(names, count);
	return list;
}

static void print_table(const json_t *list)
{
	const char *format = "%-20s %8s %-8s %4s %8s  %s\n";
	json_t *guest;
	size_t i;

	if (!json_array_size(list))
		return;
	printf(format, "NAME", "PID", "STATE", "CPUS", "MEMORY", "KERNEL");
	json_array_foreach(list, i, guest) {
		const char *name = "", *state = "", *kernel = "-";
		char pid_text[16], cpus_text[16] = "-", memory_text[24] = "-";
		json_int_t memory = 0;
		int pid = 0, cpus = 0;

		json_unpack(guest, "{s:s, s:i, s:s, s?I, s?i, s?s}", "name", &name, "pid", &pid,
			    "state", &state, "memory", &memory, "cpus", &cpus, "kernel", &kernel);
		snprintf(pid_text, sizeof(pid_text), "%d", pid);
		if (cpus)
			snprintf(cpus_text, sizeof(cpus_text), "%d", cpus);
		if (memory)
			snprintf(memory_text, sizeof(memory_text), "%lldM", (long long)memory >> 20);
		printf(format, name, pid_text, state, cpus_text, memory_text, kernel);
	}
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
	if (!error)
		runtime_close(&runtime);
	if (list && message_json) {
		json_dumpf(list, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (list) {
		print_table(list);
	}
	json_decref(list);
	return list ? EXIT_SUCCESS : EXIT_FAILURE;
}
