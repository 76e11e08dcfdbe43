"""A Ray cluster of several nodes on this machine: raylets that take each other for other machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

R = TypeVar("R")

STARTS = 5
"""Ray gives a node thirty seconds to come up, which on a busy machine is too little now and then."""


def started_cluster(head: dict[str, Any]) -> Any:
    """A cluster of one node."""
    from ray.cluster_utils import Cluster

    return retry(lambda: Cluster(initialize_head=True, head_node_args=head))


def retry(start: Callable[[], R]) -> R:
    """Start a node, if need be again."""
    for _ in range(STARTS - 1):
        with suppress(Exception):  # Ray raises bare ones
            return start()
    return start()


@contextmanager
def loopback_cluster(cpus: Sequence[int]) -> Iterator[str]:
    """A node with so many CPUs each; gives the address of the first, which the others have joined."""
    cluster = started_cluster({"num_cpus": cpus[0], "include_dashboard": False})
    try:
        for number in cpus[1:]:
            retry(lambda number=number: cluster.add_node(num_cpus=number))
        yield str(cluster.address)
    finally:
        cluster.shutdown()
