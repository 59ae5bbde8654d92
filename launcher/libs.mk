# SPDX-License-Identifier: GPL-2.0-only
#
# What everything is linked with that has the launcher's objects in it.
launcher_libs := -pthread -luring -lslirp -lz -lbz2 -llzma -llzo2 -llz4 -lzstd -ljansson \
		 -lseccomp -lcap-ng -lblkid -lext2fs -lcom_err
