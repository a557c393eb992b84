"""Training on several machines: ranks, addresses, and what each machine's launcher is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from maskdet.errors import TrainingError
from maskdet.training.launch import process
from maskdet.training.launch.cluster import RANK_VARIABLES, Cluster, cluster_of
from maskdet.training.launch.failures import lost_peer
from maskdet.training.launch.process import WorkerCommand, _Meeting
from maskdet.training.settings import TrainSettings

TWO = TrainSettings(nodes=2, master="127.0.0.1:29500")


def test_one_machine_is_no_cluster():
    assert cluster_of(TrainSettings(), {}) is None
    assert WorkerCommand(processes=1).arguments(Path("job.json"), Path("log"))[1:3] == [
        "-m",
        "maskdet.training.worker",
    ]


@pytest.mark.parametrize("name", RANK_VARIABLES)
def test_the_rank_comes_from_the_environment(name):
    cluster = cluster_of(TWO, {name: "1"})
    assert cluster is not None
    assert (cluster.rank, cluster.master, cluster.address) == (1, "127.0.0.1:29500", "127.0.0.1")
    assert cluster.interface == "lo"


def test_maskdets_own_variable_is_the_strongest():
    cluster = cluster_of(TWO, {"SLURM_NODEID": "1", "MASKDET_NODE_RANK": "0"})
    assert cluster is not None
    assert cluster.rank == 0


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "nothing says which of them"),
        ({"MASKDET_NODE_RANK": "2"}, "MASKDET_NODE_RANK is 2"),
        ({"MASKDET_NODE_RANK": "-1"}, "MASKDET_NODE_RANK is -1"),
        ({"SLURM_NODEID": "one"}, "SLURM_NODEID is one"),
    ],
)
def test_a_missing_or_wrong_rank_is_said(variables, said):
    with pytest.raises(TrainingError, match=said):
        cluster_of(TWO, variables)


def test_an_unknown_master_is_said():
    with pytest.raises(TrainingError, match=r"train\.master nowhere\.invalid:29500"):
        cluster_of(TrainSettings(nodes=2, master="nowhere.invalid:29500"), {"MASKDET_NODE_RANK": "1"})


def test_several_machines_need_a_master():
    with pytest.raises(ValidationError, match="HOST:PORT of the machine with rank 0"):
        TrainSettings(nodes=2)
    with pytest.raises(ValidationError):
        TrainSettings(nodes=2, master="host")


def test_the_launcher_and_the_workers_learn_of_the_others(monkeypatch):
    monkeypatch.delenv("GLOO_SOCKET_IFNAME", raising=False)
    cluster = Cluster(2, 1, "10.0.0.1:29500", "10.0.0.2", "eth1")
    command = WorkerCommand(processes=3, cluster=cluster)
    arguments = command.arguments(Path("job.json"), Path("log"))
    for option, value in (("--nnodes", "2"), ("--rank", "1"), ("--master", "10.0.0.1:29500")):
        assert arguments[arguments.index(option) + 1] == value
    assert arguments[arguments.index("--host") + 1] == "10.0.0.2"
    assert arguments[arguments.index("--nproc_per_node") + 1] == "3"
    assert command.workers == 6
    assert command.environment()["GLOO_SOCKET_IFNAME"] == "eth1"
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "bond0")
    assert command.environment()["GLOO_SOCKET_IFNAME"] == "bond0", "the user's own value wins"


@pytest.mark.parametrize(
    ("said", "lost"),
    [
        (
            "RuntimeError: [/paddle/gloo/transport/tcp/pair.cc:584] TIMEOUT self_rank = 0",
            True,
        ),
        (
            "IOError: [/paddle/gloo/transport/tcp/pair.cc:547] Connection closed by peer",
            True,
        ),
        ("ValueError: (InvalidArgument) The shape of input must be known", False),
    ],
)
def test_paddles_message_about_a_lost_machine_is_known(said, lost):
    assert lost_peer(said) is lost


def test_machines_that_do_not_come_end_the_wait(monkeypatch):
    monkeypatch.setattr(process, "MEETING_SECONDS", 0.0)
    meeting = _Meeting(Cluster(2, 0, "10.0.0.1:29500", "10.0.0.1", "eth0"))
    meeting.check(begun=True)
    with pytest.raises(TrainingError, match="other machines") as caught:
        meeting.check(begun=False)
    assert "--resume" in caught.value.hint
    _Meeting(None).check(begun=False)
