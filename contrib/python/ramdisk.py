#!/usr/bin/env python3
"""ramdisk.py MIB: a disk /dev/python/0 of MIB MiB in memory, until ^C."""

import signal
import sys

import tcmufs


class Memory:
    def __init__(self, size):
        self.bytes = bytearray(size)

    def pread(self, length, offset):
        return memoryview(self.bytes)[offset:offset + length]

    def pwrite(self, data, offset):
        self.bytes[offset:offset + len(data)] = data

    def size(self):
        return len(self.bytes)


signals = {signal.SIGINT, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
with tcmufs.open("/dev/python", "0", Memory(int(sys.argv[1]) << 20)) as disk:
    print(disk.path, flush=True)
    signal.sigwait(signals)
