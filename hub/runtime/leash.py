"""A tiny wrapper that ties a server to its parent's life, then becomes that server.

Run as a script by :mod:`hub.runtime.processes`, never imported by the hub::

    python -I -S leash.py PARENT_PID DEATH_SIGNAL UID GID PROGRAM [ARGUMENT ...]

It runs between fork and exec, so that nothing has to run inside the forked copy of a process
that has threads. The order matters: the kernel forgets the parent-death signal when a process
changes its user, so the user is dropped first. ``UID`` -1 keeps the caller's user.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
CANNOT_RUN = 126  # the shell's exit status for "found, but cannot be executed"
PARENT_GONE = 125


def main() -> int:
    """Drop the user, ask for the signal, check that the parent still lives, exec."""
    parent, death_signal, uid, gid = (int(text) for text in sys.argv[1:5])
    command = sys.argv[5:]
    os.umask(0o077)
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        sys.stderr.write(f"cannot tie {command[0]} to the hub: {os.strerror(ctypes.get_errno())}\n")
        return CANNOT_RUN
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:
        return PARENT_GONE  # it died before the signal was asked for
    try:
        os.execv(command[0], command)  # noqa: S606  # no shell: the command is a list of our own
    except OSError as error:
        sys.stderr.write(f"cannot run {command[0]}: {error.strerror}\n")
    return CANNOT_RUN


if __name__ == "__main__":
    sys.exit(main())
