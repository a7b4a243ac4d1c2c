"""What the module promises, on a real kernel: prints what is wrong, and exits with 1 then."""

import errno
import mmap
import os
import sys
import threading
import time

import tcmufs


class Store:
    def __init__(self):
        self.flushed = 0
        self.failing = None
        self.scattered = False

    def pread(self, length, offset):
        if self.failing:
            raise self.failing
        return memoryview(bytes(2 * length))[::2] if self.scattered else bytes(length)

    def pwrite(self, data, offset):
        if self.failing:
            raise self.failing

    def flush(self):
        self.flushed += 1


def must(good, what):
    if not good:
        sys.exit("python_devices.py: " + what)


def error_of(work):
    try:
        work()
    except OSError as error:
        return error.errno
    return 0


def with_direct(path, flags, work):
    buffer = mmap.mmap(-1, 4096)  # aligned
    file = os.open(path, flags | os.O_DIRECT)
    try:
        return work(file, [buffer])
    finally:
        os.close(file)


def read_block(path):
    return with_direct(path, os.O_RDONLY, os.readv)


def write_block(path):
    return with_direct(path, os.O_WRONLY, os.writev)


store = Store()
with tcmufs.open("/dev/python", "a", store, size=16 << 20, vendor="ACME", serial="42") as disk:
    must(disk.path == "/dev/python/a" and disk.size == 16 << 20, "path or size")
    must(os.path.realpath(disk.path) == disk.node, "the link does not lead to the node")
    must(read_block(disk.path) == 4096, "a read")
    file = os.open(disk.path, os.O_RDWR | os.O_EXCL)
    os.write(file, b"x" * 4096)
    os.fsync(file)
    must(store.flushed > 0, "fsync has not flushed")
    must(error_of(disk.close) == errno.EBUSY, "a disk that is used was closed")
    os.close(file)
    must(error_of(lambda: tcmufs.open("/dev/python", "a", Store(), size=1 << 20)) == errno.EBUSY, "opened twice")
    store.failing = RuntimeError("on purpose")
    must(error_of(lambda: read_block(disk.path)) == errno.ENODATA, "what a store raises is no medium error")
    store.failing = OSError(errno.ENOSPC, "on purpose")
    must(error_of(lambda: write_block(disk.path)) == errno.ENOSPC, "a full store")
    store.failing = None
    store.scattered = True
    must(error_of(lambda: read_block(disk.path)) == errno.ENODATA, "memory that is not in one piece was read")
must(not os.path.lexists("/dev/python/a"), "the link is still there")
must(error_of(lambda: tcmufs.open("/dev/python", "b", Store(), size=1000)) == errno.EINVAL, "an odd size")
try:
    disk.path
    must(False, "a closed device has a path")
except ValueError:
    pass



# The last reference may go in the thread that serves the device.
class Dropping(Store):
    def pread(self, length, offset):
        self.disk = None
        return bytes(length)


def last_reference_goes():
    dropping = Dropping()
    dropping.disk = tcmufs.open("/dev/python", "d", dropping, size=1 << 20)
    path = dropping.disk.path
    return path, lambda: read_block(path)


path, read = last_reference_goes()
error_of(read)  # it ends while that is on its way
for _ in range(300):
    if not os.path.lexists(path):
        break
    time.sleep(0.1)
must(not os.path.lexists(path), "a device whose last reference has gone is still there")

# Two threads: one closes, the other asks.
shared = tcmufs.open("/dev/python", "e", Store(), size=1 << 20)
closing = [threading.Thread(target=shared.close) for _ in range(4)]
for thread in closing:
    thread.start()
for _ in range(1000):
    try:
        shared.size
    except ValueError:
        pass
for thread in closing:
    thread.join()
must(not os.path.lexists("/dev/python/e"), "four threads have not closed a device")

# What is left open is taken down at the end of the program.
left = tcmufs.open("/dev/python", "c", Store(), size=1 << 20)
