// SPDX-License-Identifier: GPL-2.0-only
/* make-kernels FOLDER: make small kernels in each format, for the fuzzer to begin with. */
#include <stdio.h>
#include <stdlib.h>

#include "images.h"
#include "lguest_abi.h"
#include "unit.h"

/* Fills the kernels: any numbers, the same each time. */
uint64_t unit_random(void)
{
	static uint64_t state = 1;

	return state = state * 6364136223846793005ULL + 1442695040888963407ULL;
}

static void save(const char *folder, const char *name, struct bytes image)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	if (!file || fwrite(image.at, 1, image.size, file) != image.size || fclose(file)) {
		perror(path);
		exit(1);
	}
}

static const char *folder;

/* Make them in a test of libcheck, since images.c uses its checks. */
START_TEST(kernels)
{
	struct bytes elf = image_elf(50, LGUEST_ABI_VERSION), image;
	int format;

	save(folder, "elf", elf);
	for (format = 0; format < IMAGE_FORMATS; format++) {
		image = image_bzimage(format, elf);
		save(folder, image_format_names[format], image);
		image_free(image);
	}
	image_free(elf);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("kernels");
	TCase *tcase = tcase_create("kernels");
	SRunner *runner = srunner_create(suite);
	int failed;

	folder = argc > 1 ? argv[1] : ".";
	tcase_add_test(tcase, kernels);
	suite_add_tcase(suite, tcase);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
