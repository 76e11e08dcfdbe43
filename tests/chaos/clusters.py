"""A Ray cluster of two raylets on the loopback, one core each, as two small machines would be."""

from __future__ import annotations

import psutil

from tests.support.clusters import retry, started_cluster

NODE = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}
QUICK = {"health_check_initial_delay_ms": 1000, "health_check_period_ms": 500, "health_check_failure_threshold": 4}
"""A machine that is gone is noticed within seconds, rather than half a minute."""


class TwoRaylets:
    """The first raylet is the one drivers connect to; the second can go and the build goes on."""

    def __init__(self) -> None:
        self._start()

    @property
    def address(self) -> str:
        return str(self._cluster.address)

    def raylets(self) -> list[psutil.Process]:
        """Those that live."""
        return [p for p in map(_raylet_of, self._nodes) if p is not None]

    def mend(self) -> None:
        """As many raylets as in the beginning."""
        first, second = map(_raylet_of, self._nodes)
        if first is None:
            self.close()
            self._start()
        elif second is None:
            self._cluster.remove_node(self._nodes[1], allow_graceful=False)
            self._nodes[1] = self._add()

    def close(self) -> None:
        self._cluster.shutdown()

    def _start(self) -> None:
        self._cluster = started_cluster({**NODE, "_system_config": QUICK})
        self._nodes = [self._cluster.head_node, self._add()]

    def _add(self):
        sizes = {"num_cpus": NODE["num_cpus"], "object_store_memory": NODE["object_store_memory"]}
        return retry(lambda: self._cluster.add_node(**sizes))


def _raylet_of(node) -> psutil.Process | None:
    """A node's raylet, unless it is dead."""
    for told in node.all_processes.get("raylet", []):
        if told.process.poll() is None:
            return psutil.Process(told.process.pid)
    return None
