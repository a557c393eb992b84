"""The figures of an evaluation as a bundle states them."""

from __future__ import annotations

from typing import Any

from maskdet.detector.threshold_policy import COMPARED

_OVERALL = ("ap50", "ap50_95", "ap50_any_class")
_SAFETY = ("bare_passed", "bare_passed_wide", "worn_wrong_as_masked", "false_alarms_per_1000")
_POLICY_RATES = ("false_alarms_per_1000", "bare_passed", "bare_passed_wide")
_PER_CLASS = ("ap50", "ap50_95", "precision", "recall", "f1")


def bundle_figures(judged: dict[str, Any]) -> dict[str, float]:
    """The figures of metrics.json as the bundle holds them, without undefined ones: ap50, ..., ap50.<label>,
    ..., then the choice and the cost of each policy that chooses on val, such as policy.safe.recall.<label>.
    What an earlier version of maskdet did not measure is absent.
    """
    flat = {name: judged[name] for name in _OVERALL}
    for label, each in judged["classes"].items():
        flat.update({f"{name}.{label}": each[name] for name in _PER_CLASS})
    flat.update({name: judged["safety"][name]["value"] for name in _SAFETY if name in judged["safety"]})
    flat.update(judged.get("further", {}))
    flat.update(_score_figures(judged))
    for each in judged.get("policies", ()):
        flat.update(_policy_figures(each))
    return {name: value for name, value in flat.items() if value is not None}


def _score_figures(judged: dict[str, Any]) -> dict[str, float | None]:
    """The promise, such as promise.answered.bare with its limit and the ends of its interval, and the error
    of the scores, on held-out pictures if they are calibrated.
    """
    flat: dict[str, float | None] = {}
    for name, term in ((judged.get("promise") or {}).get("terms") or {}).items():
        low, high = term["interval"] or (None, None)
        ends = {"low": low, "high": high, "limit": term.get("at_most", term.get("at_least"))}
        flat[f"promise.{name}"] = term["value"]
        flat.update({f"promise.{name}.{end}": value for end, value in ends.items()})
    told = judged.get("calibration")
    if told:
        flat["ece"] = told["after" if told["in_force"] else "before"]["ece"]
    return flat


def _policy_figures(each: dict[str, Any]) -> dict[str, float | None]:
    policy, classes = each["policy"]["name"], each["classes"]
    wide = {f"recall_wide.{label}": one["recall_wide"]["value"] for label, one in classes.items()}
    in_force = wide if each["in_force"] else {}
    if policy not in COMPARED or not classes:
        return in_force
    own = {
        "parameter": each["policy"]["parameter"],
        **{f"threshold.{label}": one["threshold"] for label, one in classes.items()},
        **{f"recall.{label}": one["recall"]["value"] for label, one in classes.items()},
        **wide,
        **{name: each[name]["value"] for name in _POLICY_RATES if name in each},
    }
    return {**in_force, **{f"policy.{policy}.{name}": value for name, value in own.items()}}
