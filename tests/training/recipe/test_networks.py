from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from maskdet.errors import PipelineFileError
from maskdet.training.networks import registry
from maskdet.training.networks.registry import NETWORKS, VARIANTS, network_of, variant
from maskdet.training.start import published
from maskdet.training.start.published import Published

FOLDER = Path(registry.__file__).parent


def test_every_module_with_a_network_is_registered() -> None:
    modules = [path for path in FOLDER.glob("*.py") if "\nNETWORK = " in path.read_text("utf-8")]
    assert len(NETWORKS) == len(modules)


def test_no_two_networks_share_a_name_or_a_size() -> None:
    assert len(VARIANTS) == sum(len(network.variants) for network in NETWORKS)
    assert len(set(VARIANTS.values())) == len(VARIANTS)


def test_weights_tell_networks_apart() -> None:
    assert len({network.backbone for network in NETWORKS}) == len(NETWORKS)
    assert len({network.own_layer for network in NETWORKS}) == len(NETWORKS)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_size_has_what_training_and_starting_need(name: str) -> None:
    size = variant(name)
    network = network_of(size)
    assert size.side % 32 == 0
    assert {"PicoDet", network.backbone} <= network.sections(size, 10).keys()


@pytest.mark.parametrize("which", ["coco", "imagenet"])
def test_a_network_without_published_weights_is_refused_as_a_start(
    monkeypatch: pytest.MonkeyPatch, which: Published
) -> None:
    plain = replace(network_of(variant("picodet_s_416")), coco=None, imagenet={})
    monkeypatch.setattr(published, "network_of", lambda size: plain)
    with pytest.raises(PipelineFileError, match=f"no {which} weights were published for picodet_s_416"):
        published.published_url(which, "picodet_s_416")
