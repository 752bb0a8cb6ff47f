"""Holding back new connections to a socket that is about to be closed, where the kernel can."""

import ctypes
import socket
import struct
import sys
from typing import Final

_SO_ATTACH_FILTER: Final = 26
_FLAGS_AT: Final = 13
_SYN: Final = 0x02
_SYN_OR_ACK: Final = 0x12

_PROGRAM: Final = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in (
        # Load the flags of the TCP header, look at SYN and ACK only, and drop what has the former alone.
        (0x30, 0, 0, _FLAGS_AT),
        (0x54, 0, 0, _SYN_OR_ACK),
        (0x15, 0, 1, _SYN),
        (0x06, 0, 0, 0),
        (0x06, 0, 0, 0xFFFFFFFF),
    )
)
"""A program of classic BPF, which the kernel runs for each packet to the socket."""

_INSTRUCTION_BYTES: Final = 8


def hold_connects(listener: socket.socket) -> bool:
    """Have nobody connect to *listener* from now on; return whether that can be had, as on Linux.

    Whoever tries is not refused but waits, for a second mostly, and tries again: then the socket is closed, or that of
    the next process. Connections that are being made are made, and those that are not accepted yet stay.
    """
    if sys.platform != "linux":
        return False
    program = ctypes.create_string_buffer(_PROGRAM, len(_PROGRAM))
    length = len(_PROGRAM) // _INSTRUCTION_BYTES
    try:
        listener.setsockopt(
            socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", length, ctypes.addressof(program))
        )
    except OSError:
        return False
    return True
