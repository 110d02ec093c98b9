"""What a process that works on strangers' bytes may use: memory and time within limits, no files.

Called by the process itself, after its imports and before the first byte. From then on it opens
no file and no socket, starts nothing, and ends by itself when its work takes too long.
"""

import os
import resource
import sys
from typing import BinaryIO, Final

READY: Final = b"ready\n"
CPU_LIMIT_S: Final = 20  # per question; past it the system ends it, even without its parent
_NOTHING: Final = (0, 0)


def confine(memory_bytes: int) -> tuple[BinaryIO, BinaryIO]:
    """Give up what is not needed, say that it is so, and return where to read and to write."""
    source = sys.stdin.buffer
    sink = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for printed in (1, 2):  # what a library prints must not pass for an answer, nor fill a pipe
        os.dup2(nowhere, printed)
    os.close(nowhere)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, _NOTHING)
    resource.setrlimit(resource.RLIMIT_CORE, _NOTHING)
    resource.setrlimit(resource.RLIMIT_NPROC, _NOTHING)
    resource.setrlimit(resource.RLIMIT_NOFILE, _NOTHING)  # what is open stays open
    sink.write(READY)
    sink.flush()
    return source, sink


def limit_cpu() -> None:
    """Let the work that now begins take CPU_LIMIT_S."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + CPU_LIMIT_S
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def read_whole(source: BinaryIO, size: int) -> bytes | None:
    """Return so many bytes; None when the pipe ends before."""
    data = source.read(size)
    return data if len(data) == size else None
