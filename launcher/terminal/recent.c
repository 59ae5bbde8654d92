// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last lines of the guest's console, for the report on its end.
 */
#include <pthread.h>

#include "terminal/recent.h"

#define RECENT_SIZE	8192

/* A ring with the last RECENT_SIZE bytes; total counts all bytes that were ever added. */
static struct {
	pthread_mutex_t lock;
	uint64_t total;
	char text[RECENT_SIZE];
} recent = { .lock = PTHREAD_MUTEX_INITIALIZER };

/**
 * recent_add() - remember console output
 * @text: the output
 * @size: its bytes
 */
void recent_add(const void *text, size_t size)
{
	const char *from = text;

	pthread_mutex_lock(&recent.lock);
	if (size > RECENT_SIZE) {
		recent.total += size - RECENT_SIZE;
		from += size - RECENT_SIZE;
		size = RECENT_SIZE;
	}
	while (size--)
		recent.text[recent.total++ % RECENT_SIZE] = *from++;
	pthread_mutex_unlock(&recent.lock);
}

/* Is this byte part of a line's end? */
static int is_end(uint64_t position)
{
	char byte = recent.text[position % RECENT_SIZE];

	return byte == '\n' || byte == '\r';
}

/**
 * recent_get() - copy the last lines, without carriage returns
 * @text: receives them
 * @size: room there
 * @lines: the most lines wanted
 *
 * Return: bytes put there.
 */
size_t recent_get(char *text, size_t size, unsigned int lines)
{
	uint64_t from, end, oldest;
	size_t count = 0;

	pthread_mutex_lock(&recent.lock);
	end = recent.total;
	oldest = end > RECENT_SIZE ? end - RECENT_SIZE : 0;
	while (end > oldest && is_end(end - 1))
		end--;
	for (from = end; from > oldest && end - from < size; from--)
		if (recent.text[(from - 1) % RECENT_SIZE] == '\n' && --lines == 0)
			break;
	for (; from < end; from++)
		if (recent.text[from % RECENT_SIZE] != '\r')
			text[count++] = recent.text[from % RECENT_SIZE];
	pthread_mutex_unlock(&recent.lock);
	return count;
}

/**
 * recent_clear() - forget all lines: a new guest starts
 */
void recent_clear(void)
{
	pthread_mutex_lock(&recent.lock);
	recent.total = 0;
	pthread_mutex_unlock(&recent.lock);
}
