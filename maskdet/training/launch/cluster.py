"""Training on several machines: this one's rank, and the address by which the others reach it."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from maskdet.errors import TrainingError
from maskdet.training.settings import TrainSettings

RANK_VARIABLES = ("MASKDET_NODE_RANK", "PADDLE_RANK", "SLURM_NODEID", "JOB_COMPLETION_INDEX")
"""The first that is set gives the machine's rank; the last two are of Slurm and indexed Kubernetes jobs."""
MEETING_SECONDS = 600.0
"""The longest wait for the other machines before the first step."""
LOST_PEER = "another machine of this training does not answer any more"
RESUME_HINT = "once all machines are up again, start the same command with --resume on each of them"


@dataclass(frozen=True, slots=True)
class Cluster:
    """The machines of one training as this one sees them."""

    nodes: int
    rank: int
    """From 0; rank 0 is the machine that `master` names."""
    master: str
    """HOST:PORT."""
    address: str
    """This machine's IPv4 address in the network of the master."""
    interface: str
    """The network interface with that address; empty if it is not known."""

    def arguments(self) -> list[str]:
        """Options of paddle.distributed.launch."""
        nodes = ["--nnodes", str(self.nodes), "--rank", str(self.rank)]
        return [*nodes, "--master", self.master, "--host", self.address]

    def variables(self) -> dict[str, str]:
        """Environment of the workers. By default gloo listens where the host name points, often loopback."""
        names = ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")
        return dict.fromkeys(names, self.interface) if self.interface else {}


def cluster_of(settings: TrainSettings, variables: Mapping[str, str] = os.environ) -> Cluster | None:
    """The machines that the settings ask for, None for this one alone.

    Raises TrainingError if this machine's rank is missing or wrong, or the master's name is unknown.
    """
    if settings.nodes == 1 or settings.master is None:
        return None
    rank = _rank(settings.nodes, variables)
    address = _address(settings.master)
    host, _, port = settings.master.rpartition(":")
    # The launcher of rank 0 recognises itself by its address only.
    master = f"{address if rank == 0 else _resolved(host, settings.master)}:{port}"
    return Cluster(settings.nodes, rank, master, address, _interface(address))


def spans_machines() -> bool:
    """In a worker: whether there are workers on other machines."""
    return int(os.environ.get("PADDLE_NNODES", "1")) > 1


def _rank(nodes: int, variables: Mapping[str, str]) -> int:
    name = next((name for name in RANK_VARIABLES if variables.get(name)), None)
    if name is None:
        raise TrainingError(
            f"train.nodes is {nodes}, but nothing says which of them this machine is",
            f"set {RANK_VARIABLES[0]} to 0 on the machine of train.master, and to 1, 2, ... on the others",
        )
    text = variables[name]
    if not text.isdecimal() or int(text) >= nodes:
        raise TrainingError(f"{name} is {text}, but train.nodes is {nodes}", f"set it to 0 to {nodes - 1}")
    return int(text)


def _address(master: str) -> str:
    """The own address on the way to the master. Nothing is sent."""
    host, _, port = master.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, int(port)))
        except OSError as error:
            raise _unreachable(master, error) from error
        return str(probe.getsockname()[0])


def _resolved(host: str, master: str) -> str:
    try:
        return socket.gethostbyname(host)
    except OSError as error:
        raise _unreachable(master, error) from error


def _unreachable(master: str, error: OSError) -> TrainingError:
    return TrainingError(
        f"train.master {master}: {error.strerror or error}", "check the name, and the network of this machine"
    )


def _interface(address: str) -> str:
    for name, addresses in psutil.net_if_addrs().items():
        if any(each.address == address for each in addresses):
            return name
    return ""
