"""Which challengers pass and which are refused, by which gates."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from gates_val import BARE, BARE_LOOKS_MASKED, DIM, LABELS, MASKED, PARITY, Val, contender, settings
from pydantic import ValidationError

from maskdet.dataset.manifest import ManifestRoot
from maskdet.errors import GateRefusal, UsageError
from maskdet.gates.gates import Absent, Contender, GateJob, judge
from maskdet.gates.markdown import markdown_report
from maskdet.gates.ruling import Bound, Measure, rule_on
from maskdet.gates.settings import Margin, OverallMargin
from maskdet.registry.records import PictureRecord

FIRST = Absent("no champion yet", first=True)


def test_an_identical_model_passes_with_no_difference(val: Val) -> None:
    model = val.model("same")
    report = val.judge(model, model, settings())
    report.require()
    compared = {each.name: each for each in report.rulings if each.name.startswith("not_worse")}
    assert {each.verdict for each in report.rulings} == {"pass"}
    assert compared["not_worse.ap50"].measure.interval == (0, 0)
    assert compared["not_worse.ap50"].measure.value == 0
    assert report.regressions == report.gains == ()
    assert (report.pictures, report.faces) == (60, 240)


def test_a_better_model_passes_and_its_gains_are_shown(val: Val) -> None:
    champion = val.model("champion", thresholds={MASKED: 0.6, BARE: 0.6})
    # Answers the faint masked faces too; of the bare ones it would pass four of 120.
    better = val.model("better", thresholds={MASKED: 0.3, BARE: 0.6})
    report = val.judge(better, champion, settings(not_worse={"bare_passed": {"absolute": 0.05}}))
    report.require()
    recall = next(each for each in report.rulings if each.name == f"not_worse.class_recall.{MASKED}")
    assert recall.measure.value == pytest.approx(len(DIM) / 120)
    assert recall.measure.count == 120
    assert {int(each.picture[:3]) for each in report.gains} <= set(DIM)
    assert [each.gain for each in report.gains] == [1] * 5


def test_a_model_with_swapped_labels_is_refused_by_name_and_by_how_much(val: Val, ruled) -> None:
    worse = val.model("worse", labels=LABELS[::-1])
    report = val.judge(worse, val.model("champion"), settings())
    verdicts = ruled(report)
    for name in ("floors.ap50", "limits.bare_passed", "not_worse.ap50", f"not_worse.class_recall.{BARE}"):
        assert verdicts[name] == "fail"
    assert verdicts["parity"] == verdicts["not_worse.false_alarms"] == "pass"
    with pytest.raises(GateRefusal) as refusal:
        report.require()
    assert refusal.value.exit_code == 11
    assert "worse is refused by" in refusal.value.what
    # 93 % of the masked faces are found as bare ones.
    assert "floors.ap50: 0.0% is 50.0% below the limit" in refusal.value.what
    assert len(report.regressions) == 5
    assert report.regressions[0].gain == -6


def test_passing_more_bare_faces_alone_refuses_alone(val: Val, ruled) -> None:
    champion = val.model("champion", thresholds={MASKED: 0.5, BARE: 0.5})
    only_bare = val.with_pictures(tuple(each for n, each in enumerate(val.whole.pictures) if n not in DIM))
    passing = val.model("passing", thresholds={MASKED: 0.3, BARE: 0.5})
    report = only_bare.judge(passing, champion, settings())
    refused = {name for name, verdict in ruled(report).items() if verdict != "pass"}
    assert refused == {"not_worse.bare_passed"}
    with pytest.raises(
        GateRefusal, match=r"refused by 1 of \d+ gates\n  not_worse.bare_passed: \+4\.0 points"
    ):
        report.require()
    assert {int(each.picture[:3]) for each in report.regressions} == set(BARE_LOOKS_MASKED)


def test_ten_pictures_are_too_few(val: Val, ruled) -> None:
    model = val.model("same")
    few = val.first(10)
    report = few.judge(model, model, settings())
    verdicts = ruled(report)
    assert {name for name, verdict in verdicts.items() if verdict == "pass"} == {
        "parity",
        "not_worse.size_ratio",
    }
    assert set(verdicts.values()) == {"pass", "unmeasured"}
    with pytest.raises(GateRefusal, match=r"10 pictures, 50 are needed \(gates.counts.pictures\): counts, "):
        report.require()


def test_a_class_with_too_few_faces_is_not_measured(val: Val, ruled) -> None:
    scarce = val.with_pictures(
        tuple(
            replace(each, objects=tuple(o for o in each.objects if o.label == MASKED or n < 4))
            for n, each in enumerate(val.whole.pictures)
        )
    )
    model = val.model("same")
    unmeasured = [
        name
        for name, verdict in ruled(scarce.judge(model, model, settings())).items()
        if verdict == "unmeasured"
    ]
    assert unmeasured == [
        "limits.bare_passed",
        f"not_worse.class_ap50.{BARE}",
        f"not_worse.class_recall.{BARE}",
        "not_worse.bare_passed",
    ]


def test_a_first_model_needs_no_champion_but_keeps_the_floors(val: Val, ruled) -> None:
    report = val.judge(val.model("same"), FIRST, settings())
    report.require()
    assert set(ruled(report).values()) == {"pass", "no champion"}
    assert report.champion is None
    worse = val.judge(val.model("worse", labels=LABELS[::-1]), FIRST, settings())
    assert ruled(worse)["floors.ap50"] == "fail"


def test_a_missing_champion_refuses_what_was_asked_for(val: Val, ruled) -> None:
    missing = Absent("the champion old.onnx is missing", first=False)
    report = val.judge(val.model("same"), missing, settings())
    assert ruled(report)["not_worse.ap50"] == ruled(report)["not_worse.size_ratio"] == "unmeasured"
    assert ruled(report)["floors.ap50"] == "pass"
    with pytest.raises(GateRefusal, match=r"not measured, .* old\.onnx is missing: not_worse\.ap50, "):
        report.require()


def test_a_lacking_class_is_not_hidden_by_the_mean_of_the_others(val: Val, ruled) -> None:
    report = val.judge(val.model("one", labels=LABELS[:1]), val.model("champion"), settings())
    verdicts = ruled(report)
    assert verdicts["not_worse.ap50"] == "pass"
    assert verdicts[f"not_worse.class_ap50.{BARE}"] == "unmeasured"
    assert verdicts["not_worse.bare_passed"] == "pass"


def test_faces_of_a_class_that_the_champion_lacks_are_no_gain_in_a_slice(val: Val) -> None:
    champion = val.model("champion", labels=LABELS[:1], thresholds={MASKED: 0.3})
    report = val.judge(val.model("blind"), champion, settings(slices=["face_pixels.>16"]))
    by_name = {each.name: each for each in report.rulings}
    masked, inside = (
        by_name[f"not_worse.{name}"] for name in (f"class_recall.{MASKED}", "slice_recall.face_pixels.>16")
    )
    assert inside.measure == replace(masked.measure, of="faces in face_pixels.>16")
    assert inside.measure.value == pytest.approx(-len(DIM) / 120)
    assert inside.verdict == masked.verdict == "fail"


def test_models_without_a_class_in_common_are_refused_by_rules(val: Val, ruled) -> None:
    report = val.judge(val.model("one", labels=LABELS[:1]), val.model("other", labels=LABELS[1:]), settings())
    verdicts = ruled(report)
    assert verdicts["not_worse.ap50"] == verdicts[f"not_worse.class_ap50.{BARE}"] == "unmeasured"
    assert not report.passed
    assert {each.ap50_effect for each in (*report.regressions, *report.gains)} == {0.0}


def test_parity_time_and_size(val: Val, ruled) -> None:
    model = val.model("same")
    off = {"judge": "off"}
    limits = settings(
        limits={"p95_ms": 1e-6, "size_mb": 1e-6},
        not_worse={"p95_ratio": 1e6, "ap50": off},
        latency_pictures=5,
    )
    report = val.judge(model, model, limits)
    verdicts = ruled(report)
    assert verdicts["limits.p95_ms"] == verdicts["limits.size_mb"] == "fail"
    ratio = next(each for each in report.rulings if each.name == "not_worse.p95_ratio")
    assert ratio.verdict == "pass"
    assert ratio.measure.count == 5
    assert "not_worse.ap50" not in verdicts

    (model.parent / "parity.json").write_text(
        json.dumps({**json.loads((model.parent / "parity.json").read_text()), "box_difference": 0.2})
    )
    assert ruled(val.judge(model, FIRST, settings()))["parity"] == "fail"
    unproven = GateJob(Contender("bare", model), FIRST, val.manifest, settings())
    assert ruled(judge(unproven))["parity"] == "unmeasured"


@pytest.mark.parametrize("named", ["0" * 64, None])
def test_the_parity_of_another_file_proves_nothing(val: Val, named: str | None) -> None:
    challenger = contender(val.model("same"))
    other = replace(challenger, parity={**PARITY, "bundle_sha256": named})
    report = judge(GateJob(other, FIRST, val.manifest, settings()))
    [refused] = report.refusals
    assert (refused.name, refused.verdict) == ("parity", "unmeasured")
    assert "it is of another file" in refused.why


def test_floors_by_class_and_by_slice(val: Val, ruled) -> None:
    floors = {
        "class_ap50": {MASKED: 0.9},
        "class_recall": {MASKED: 0.95},
        "slice_ap50": {"face_pixels.16-32": 0.9},
        "slice_recall": {"faces_per_picture.2-5": 0.9, "face_pixels.<=8": 0.1},
    }
    report = val.judge(val.model("same"), FIRST, settings(floors=floors))
    verdicts = ruled(report)
    assert verdicts[f"floors.class_ap50.{MASKED}"] == "pass"
    # 10 of 120 masked faces are too faint.
    assert verdicts[f"floors.class_recall.{MASKED}"] == "fail"
    assert verdicts["floors.slice_ap50.face_pixels.16-32"] == "pass"
    assert verdicts["floors.slice_recall.faces_per_picture.2-5"] == "pass"
    assert verdicts["floors.slice_recall.face_pixels.<=8"] == "unmeasured"


@pytest.fixture
def two(val: Val) -> Val:
    """The faint faces are all in the second of two roots."""
    roots = (ManifestRoot("day", val.root), ManifestRoot("night", val.root))
    pictures = tuple(
        replace(each, root="night" if n in DIM else "day") for n, each in enumerate(val.whole.pictures)
    )
    whole = replace(val.whole, pictures=pictures, roots=roots)
    whole.write(val.root / "two.json")
    return Val(val.root, val.root / "two.json", whole)


def test_a_collection_is_a_slice_of_its_own(val: Val, two: Val) -> None:
    champion = val.model("champion", thresholds={MASKED: 0.3, BARE: 0.5})
    chosen = settings(slices=["collection.day", "collection.night"])
    report = two.judge(val.model("blind"), champion, chosen)
    by_name = {each.name: each for each in report.rulings}
    night = by_name["not_worse.slice_recall.collection.night"]
    assert (night.measure.value, night.measure.count) == (-0.25, 40)
    assert night.verdict == "fail"
    assert by_name["not_worse.slice_recall.collection.day"].measure.value == 0
    assert report.regressions[0].picture.startswith("night/")


def test_a_collection_that_a_model_was_trained_on_is_unmeasured(two: Val, ruled) -> None:
    night = tuple(
        PictureRecord(sha256=each.sha256, phash="", part="train")
        for each in two.whole.pictures
        if each.root == "night"
    )
    model = two.model("same")
    chosen = settings(
        slices=["collection.day", "collection.night"], floors={"slice_recall": {"collection.night": 0.5}}
    )
    champion = replace(contender(model), pictures=night)
    verdicts = ruled(judge(GateJob(contender(model), champion, two.manifest, chosen)))
    assert verdicts["not_worse.slice_recall.collection.day"] == "pass"
    assert verdicts["not_worse.slice_recall.collection.night"] == "unmeasured"
    assert verdicts["floors.slice_recall.collection.night"] == "unmeasured"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"floors": {"class_ap50": {"with_mas": 0.5}}},
            "gates.floors.class_ap50: the data has no label with_mas",
        ),
        (
            {"floors": {"slice_recall": {"width.>16": 0.5}}},
            "gates.floors: there is no slice width",
        ),
        ({"slices": ["face_pixels.>15"]}, "gates.slices: there is no slice face_pixels.>15"),
    ],
)
def test_unknown_names_are_errors_and_no_refusals(val: Val, wrong, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        val.judge(val.model("same"), FIRST, settings(**wrong))


def test_few_faces_have_to_show_a_loss_and_many_have_to_show_none() -> None:
    lost = Measure(-0.10, (-0.24, 0.01), 20, "faces")
    by_class, overall = Margin(), OverallMargin()
    assert rule_on("", "", lost, Bound(-by_class.allowed(1), by_class.judge)).verdict == "pass"
    assert rule_on("", "", lost, Bound(-overall.allowed(1), overall.judge)).verdict == "fail"
    shown = Measure(-0.10, (-0.12, -0.08), 500, "faces")
    assert rule_on("", "", shown, Bound(-by_class.allowed(1), by_class.judge)).verdict == "fail"


@pytest.mark.parametrize(
    ("margin", "allowed"),
    [
        ({"absolute": 0.1, "relative": 0.02}, 0.016),
        ({"absolute": 0.01, "relative": 0.5}, 0.01),
        ({"absolute": None, "relative": 0.5}, 0.4),
        ({}, 0.02),
    ],
)
def test_relative_and_absolute_margins_both_hold(margin, allowed: float) -> None:
    assert Margin(**margin).allowed(0.8) == pytest.approx(allowed)


def test_a_rule_without_a_margin_is_an_error() -> None:
    with pytest.raises(ValidationError, match="judge: off leaves the rule out"):
        Margin(absolute=None)


def test_the_margin_decides(val: Val) -> None:
    champion = val.model("champion", thresholds={MASKED: 0.3, BARE: 0.5})
    margin = {"judge": "value", "relative": 0.08, "absolute": None}
    chosen = settings(not_worse={"class_recall": margin}, slices=[])
    report = val.judge(val.model("stricter"), champion, chosen)
    [failed] = report.refusals
    # The champion finds all 120 masked faces, the challenger 110 of them.
    assert (failed.name, failed.limit) == (f"not_worse.class_recall.{MASKED}", -0.08)
    assert failed.why == "-8.3 points is 0.3 points below the limit"


def test_pictures_that_a_model_was_trained_on_are_left_out(val: Val) -> None:
    seen = tuple(
        PictureRecord(sha256=each.sha256, phash="", part="train" if n < 7 else "val")
        for n, each in enumerate(val.whole.pictures)
    )
    champion = replace(contender(val.model("champion")), pictures=seen)
    job = GateJob(contender(val.model("challenger")), champion, val.manifest, settings())
    report = judge(job)
    assert report.pictures == 53
    assert {each.picture for each in report.left_out} == {f"{n:03}.png" for n in range(7)}
    assert {(each.who, each.why) for each in report.left_out} == {("champion", "was trained on it")}
    assert report.champion is not None
    assert (report.challenger.lineage_known, report.champion.lineage_known) == (False, True)
    told = markdown_report(report)
    assert "it is not known what the challenger was trained on" in told
    assert "7 pictures of val are left out: the champion was trained on them" in told

    everything = tuple(each.model_copy(update={"part": "train"}) for each in seen)
    nothing_left = judge(replace(job, champion=replace(champion, pictures=everything)))
    with pytest.raises(GateRefusal, match="0 pictures, 50 are needed"):
        nothing_left.require()
