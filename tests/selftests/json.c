// SPDX-License-Identifier: GPL-2.0-only
/*
 * json [PATH] <FILE: is it JSON, as RFC 8259 has it, no name twice? Prints "PATH VALUE"
 * for each string, number and boolean in it, or the value at PATH alone; an empty list
 * or object is printed as [] or {}. A path is names and indexes with "." between. Ends
 * with 1 where it is no JSON, or there is no such path.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int found;

static void print(const char *path, const char *wanted, const char *value)
{
	if (wanted && strcmp(path, wanted))
		return;
	found++;
	if (wanted)
		puts(value);
	else
		printf("%s %s\n", path, value);
}

static void walk(json_t *value, const char *path, const char *wanted)
{
	char name[512];
	const char *key;
	json_t *part;
	size_t i;

	if (json_is_string(value)) {
		print(path, wanted, json_string_value(value));
	} else if ((json_is_object(value) && json_object_size(value)) ||
		   (json_is_array(value) && json_array_size(value))) {
		json_array_foreach(value, i, part) {
			snprintf(name, sizeof(name), "%s%s%zu", path, *path ? "." : "", i);
			walk(part, name, wanted);
		}
		json_object_foreach(value, key, part) {
			snprintf(name, sizeof(name), "%s%s%s", path, *path ? "." : "", key);
			walk(part, name, wanted);
		}
	} else {
		char *text = json_dumps(value, JSON_ENCODE_ANY);

		print(path, wanted, text);
		free(text);
	}
}

int main(int argc, char **argv)
{
	json_error_t error;
	json_t *root = json_loadf(stdin, JSON_REJECT_DUPLICATES, &error);

	if (!root) {
		fprintf(stderr, "json: line %d, column %d: %s\n", error.line, error.column,
			error.text);
		return 1;
	}
	walk(root, "", argc > 1 ? argv[1] : NULL);
	json_decref(root);
	return found ? 0 : 1;
}
