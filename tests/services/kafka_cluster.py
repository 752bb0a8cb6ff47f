"""Be a Kafka cluster: `kafka_cluster.py LIBRARY` runs the one within librdkafka until it is killed.

It has one broker, makes a topic of four partitions when somebody asks for it, and checks what producers and members of
groups say. It stores nothing on a disk, has one replica, and knows no transactions but by name.
"""

import ctypes
import signal
import sys

_PRODUCER = 0


def main() -> None:
    """Start the cluster, say where it listens, and wait."""
    library = ctypes.CDLL(sys.argv[1])
    for name in ("rd_kafka_new", "rd_kafka_mock_cluster_new"):
        getattr(library, name).restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p

    reason = ctypes.create_string_buffer(500)
    handle = ctypes.c_void_p(library.rd_kafka_new(_PRODUCER, None, reason, ctypes.c_size_t(len(reason))))
    if not handle:
        sys.exit(reason.value.decode())
    cluster = ctypes.c_void_p(library.rd_kafka_mock_cluster_new(handle, 1))
    if not cluster:
        sys.exit("the library made no cluster")
    # A new group would wait three seconds for further members.
    library.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, ctypes.c_int32(200))
    print("listens on", library.rd_kafka_mock_cluster_bootstraps(cluster).decode(), flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
