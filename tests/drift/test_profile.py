from __future__ import annotations

import json

import numpy as np
import pytest
from pydantic import ValidationError
from sightings import LABELS, crowd, picture

from maskdet.detector.profile import Histogram, Profile
from maskdet.drift.comparison import compare
from maskdet.drift.features import EDGES, FEATURES, Bins
from maskdet.drift.profile import take_profile
from maskdet.drift.sighting import Sighting
from maskdet.drift.tally import Tally


def tally(sightings: list[Sighting]) -> Tally:
    made = Tally(Bins(LABELS))
    for one in sightings:
        made.add(one)
    return made


def test_values_are_counted_from_edge_to_edge() -> None:
    counts = tally([picture(brightness=7.9), picture(brightness=8), picture(brightness=255, sides=())]).counts

    assert [counts["brightness"][place] for place in (0, 1, 31)] == [1, 1, 1]
    assert (counts["faces"][0], counts["faces"][1]) == (1, 2)
    # 40 of 400 pixels: between 1/11.3 and 1/8.
    assert counts["face_size"][[edge < 0.1 for edge in EDGES["face_size"]].index(False)] == 2
    assert counts["label"] == [2, 0]


def test_a_clients_own_thresholds_count_for_the_pixels_only() -> None:
    made = tally([picture(own=False, outcome="violation"), picture()])

    assert made.verdicts == {"ok": 1, "violation": 0, "uncertain": 0}
    assert (made.outcome("violation"), made.pictures) == (1, 2)
    assert sum(made.counts["brightness"]) == 2
    assert sum(made.counts["score"]) == 1


def test_profile_holds_every_feature_in_little_room() -> None:
    draw = np.random.default_rng(2)
    profile = take_profile([crowd(draw) for _ in range(150)], LABELS)

    assert (tuple(profile.features), profile.pictures) == (FEATURES, 150)
    assert sum(profile.features["brightness"].counts) == sum(profile.verdicts.values()) == 150
    text = profile.model_dump_json()
    assert len(text) < 10_000
    assert Profile.model_validate(json.loads(text)) == profile


def test_faces_that_resemble_each_other_count_for_less() -> None:
    draw = np.random.default_rng(3)
    profile = take_profile([crowd(draw) for _ in range(300)], LABELS)
    alone = take_profile([picture(sides=[float(draw.lognormal(3.5, 0.5))]) for _ in range(300)], LABELS)

    # 1 to 8 faces of one size: the factor is the mean of their squares over their mean, 5.7.
    assert 4.5 < profile.features["face_size"].design_effect < 7.5
    assert alone.features["face_size"].design_effect < 1.1
    assert profile.features["brightness"].design_effect == 1


def test_faces_that_all_resemble_each_other_count_as_one_of_each_picture() -> None:
    profile = take_profile([picture(sides=(40.0,) * count) for count in (1, 2, 3)], LABELS)

    # The mean of the squares over the mean: 14 of 3 over 6 of 3.
    assert profile.features["face_size"].design_effect == pytest.approx(14 / 6, abs=0.001)


def test_pictures_without_a_face_have_drifted_from_a_val_of_one_face_each() -> None:
    profile = take_profile([picture()] * 150, LABELS)

    found = {one.feature: one for one in compare(profile, tally([picture(sides=())] * 2000), 0.25)}

    assert found["faces"].verdict == "drift"
    assert found["faces"].least is not None


def test_no_drift_is_seldom_named_even_of_crowds() -> None:
    draw = np.random.default_rng(4)
    named: list[str] = []
    for _ in range(6):
        profile = take_profile([crowd(draw) for _ in range(150)], LABELS)
        seen = tally([crowd(draw) for _ in range(300)])
        named += [one.feature for one in compare(profile, seen, 0.25) if one.verdict == "drift"]

    assert named == []


def test_darker_pictures_have_drifted_in_brightness_alone() -> None:
    draw = np.random.default_rng(5)
    profile = take_profile([crowd(draw) for _ in range(150)], LABELS)

    found = {one.feature: one for one in compare(profile, tally([crowd(draw, 60) for _ in range(400)]), 0.25)}

    assert [name for name, one in found.items() if one.verdict == "drift"] == ["brightness"]
    assert (found["brightness"].samples, found["brightness"].reference) == (400, 150)


def test_too_few_is_neither_drift_nor_none() -> None:
    draw = np.random.default_rng(6)
    profile = take_profile([crowd(draw) for _ in range(150)], LABELS)
    [dark] = compare(profile, tally([picture(brightness=1)] * 20), 0.25)[:1]
    [none] = compare(profile, tally([]), 0.25)[:1]
    [least] = {one.least for one in (dark, none)}

    assert (dark.verdict, none.verdict, none.psi) == ("too few", "too few", None)
    assert least is not None
    [enough] = compare(profile, tally([picture(brightness=1)] * least), 0.25)[:1]
    assert enough.verdict == "drift"


def test_a_small_val_never_has_enough() -> None:
    draw = np.random.default_rng(7)
    profile = take_profile([crowd(draw) for _ in range(12)], LABELS)

    [one] = compare(profile, tally([crowd(draw) for _ in range(600)]), 0.25)[:1]

    assert (one.verdict, one.least) == ("too few", None)


def test_a_model_that_found_nothing_has_a_profile() -> None:
    profile = take_profile([picture(sides=())] * 30, LABELS)

    found = {one.feature: one for one in compare(profile, tally([picture()] * 30), 0.25)}
    assert (found["score"].reference, found["score"].verdict) == (0, "too few")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"edges": [1, 2], "counts": [1, 1]}, "2 edges make 3 bins"),
        ({"edges": [2, 1], "counts": [1, 1, 1]}, "do not rise"),
        ({"edges": [1], "counts": [1, -1]}, "greater than or equal to 0"),
        ({"edges": [1], "counts": [1, 1], "design_effect": 0.5}, "greater than or equal to 1"),
    ],
)
def test_damaged_histograms_are_refused(value: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Histogram.model_validate(value)


def test_tallies_are_read_as_written_and_nothing_else() -> None:
    made = tally([picture(), picture(own=False)])
    raw = json.loads(json.dumps(made.to_json()))

    assert Tally.read(raw, made.bins).to_json() == made.to_json()
    for damaged in ({**raw, "counts": {}}, {**raw, "verdicts": {"ok": -1}}, {**raw, "overridden": None}):
        with pytest.raises((ValueError, KeyError, TypeError)):
            Tally.read(damaged, made.bins)
