"""A Ray cluster of several nodes on this machine: raylets that take each other for other machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager


@contextmanager
def loopback_cluster(cpus: Sequence[int]) -> Iterator[str]:
    """A node with so many CPUs each; gives the address of the first, which the others have joined."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": cpus[0], "include_dashboard": False})
    try:
        for number in cpus[1:]:
            cluster.add_node(num_cpus=number)
        yield str(cluster.address)
    finally:
        cluster.shutdown()
