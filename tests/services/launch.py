"""Become a server that dies with the process that asked for it.

Runs as a program of its own, because a `preexec_fn` is unsafe, and from Python 3.12 on refused, in a process
with threads: `launch.py PARENT SIGNAL USER GROUP PROGRAM ARGUMENT…` (USER -1 keeps the account).
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Change the account, ask the kernel for the signal, and turn into the program."""
    parent, signal_number, user, group = map(int, sys.argv[1:5])
    if user >= 0:
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    # After the change of account: that change would clear the request.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number)
    # A parent that was killed before the request cannot send the signal any more.
    if os.getppid() == parent:
        os.execv(sys.argv[5], sys.argv[5:])  # noqa: S606 - the caller's own choice of program


if __name__ == "__main__":
    main()
