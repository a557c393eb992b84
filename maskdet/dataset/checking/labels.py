"""Turns the names in the annotations into classes: aliases, unknown names, typos."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from maskdet.dataset.findings import clean
from maskdet.dataset.settings import DataSettings, NamedRoot
from maskdet.errors import UsageError
from maskdet.wording.lexicon import same_spelling, spelling
from maskdet.wording.names import did_you_mean

RARE = 5
"""A name counts as a typo only if the name it resembles is at least this many times as frequent."""

_FIRST_CJK = "\u2e80"


@dataclass(frozen=True, slots=True)
class LabelFault:
    """Why a written name has no class."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class LabelBook:
    """`classes` maps a written name to its class, `faults` one without a class to the reason.

    ignored: the written names whose class the model does not have.
    """

    classes: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, LabelFault] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()


def read_labels(names: Mapping[str, Counter[str]], settings: DataSettings) -> dict[str, LabelBook]:
    """Decide on each name of the annotations, by root; `names` counts by root the objects that carry each.

    Raises UsageError if data.labels, ignore or aliases are inconsistent, or data.ignore or data.roles names
    an unknown class.
    """
    _check_settings(settings)
    meant = {
        root.name: {name: root.aliases.get(name, name) for name in sorted(names.get(root.name, ()))}
        for root in settings.every_root
    }
    totals = _totals(names, meant)
    _check_ignore(settings, totals)
    _check_roles(settings, settings.labels or tuple(sorted(totals.keys() - set(settings.ignore))))
    return {root.name: _book(meant[root.name], totals, root, settings) for root in settings.every_root}


def _totals(names: Mapping[str, Counter[str]], meant: Mapping[str, Mapping[str, str]]) -> Counter[str]:
    """Objects by class, over all roots."""
    totals: Counter[str] = Counter()
    for root, labels in meant.items():
        for name, label in labels.items():
            totals[label] += names[root][name]
    return totals


def _book(
    meant: Mapping[str, str], totals: Counter[str], root: NamedRoot, settings: DataSettings
) -> LabelBook:
    ignored = frozenset(name for name, label in meant.items() if label in settings.ignore)
    taught = {name: label for name, label in meant.items() if name not in ignored}
    faults = (
        _unknown(taught, settings) if settings.labels is not None else _misspelt(taught, totals, root.aliases)
    )
    classes = {name: label for name, label in meant.items() if name not in faults}
    return LabelBook(classes, faults, ignored)


def _check_settings(settings: DataSettings) -> None:
    labels = settings.labels
    if labels is None:
        return
    if not labels or not all(label.strip() for label in labels):
        raise UsageError(f"data.labels: {list(labels)} is not a list of names", "name each class once")
    spellings: dict[str, str] = {}
    for label in labels:
        if other := spellings.get(spelling(label)):
            what = f"data.labels: {other} and {label} are one class"
            raise UsageError(what, f"leave {label} out; data.aliases maps other spellings to {other}")
        spellings[spelling(label)] = label
    for place, aliases in _all_aliases(settings):
        for name, label in aliases.items():
            if label not in (*labels, *settings.ignore):
                what = f"{place}: {name} stands for {label}, which is not in data.labels"
                raise UsageError(what, _did_you_mean(label, labels))


def _all_aliases(settings: DataSettings) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Every map of aliases, after its key."""
    yield "data.aliases", settings.aliases
    for number, root in enumerate(settings.roots or ()):
        yield f"data.roots.{number}.aliases", root.aliases


def _check_ignore(settings: DataSettings, totals: Mapping[str, int]) -> None:
    for label in settings.ignore:
        if label in (settings.labels or ()):
            raise UsageError(f"data.labels and data.ignore both have {label}", "keep it in one of them")
        if label not in totals:
            names = sorted(totals)
            hint = did_you_mean(label, names) or f"the names are {clean(', '.join(names), 120)}"
            raise UsageError(f"data.ignore: no object is called '{clean(label, 60)}'", hint)


def _check_roles(settings: DataSettings, labels: tuple[str, ...]) -> None:
    for label in settings.roles:
        if label not in labels:
            what = f"data.roles: there is no class '{clean(label, 60)}'"
            raise UsageError(what, _class_meant(label, labels, settings))


def _class_meant(label: str, labels: tuple[str, ...], settings: DataSettings) -> str:
    for place, aliases in _all_aliases(settings):
        if label in aliases:
            return f"{place} maps it to {aliases[label]}: set the role of that"
    return did_you_mean(label, labels) or f"the classes are {clean(', '.join(labels), 120)}"


def _unknown(meant: Mapping[str, str], settings: DataSettings) -> dict[str, LabelFault]:
    labels = settings.labels or ()
    return {
        name: LabelFault("label-unknown", f"unknown class '{clean(name, 60)}'", _way_out(name, labels))
        for name, label in meant.items()
        if label not in labels
    }


def _way_out(name: str, labels: tuple[str, ...]) -> str:
    return f"{_did_you_mean(name, labels)}; data.ignore leaves a class out, without its faces as background"


def _did_you_mean(name: str, labels: tuple[str, ...]) -> str:
    lower = {label.casefold(): label for label in labels}
    close = difflib.get_close_matches(name.casefold(), lower, n=1, cutoff=0.6)
    if close:
        return f"did you mean {lower[close[0]]}? Correct it or add it to data.aliases"
    return f"data.labels has {clean(', '.join(labels), 120)}"


def _misspelt(
    meant: Mapping[str, str], totals: Counter[str], aliases: Mapping[str, str]
) -> dict[str, LabelFault]:
    """Rare names one typo away from a frequent one, where there is no list of labels."""
    declared = set(aliases.values())
    faults = {}
    for name, label in meant.items():
        likely = resembled(label, totals)
        if likely and label not in declared and name not in aliases:
            numbers = f"({totals[label]} objects, {likely} {totals[likely]})"
            message = f"class '{clean(name, 60)}' looks like a typo {numbers}"
            hint = f"did you mean {likely}? Add it to data.aliases, or list all classes in data.labels"
            faults[name] = LabelFault("label-misspelt", message, hint)
    return faults


def resembled(label: str, totals: Mapping[str, int]) -> str:
    """The most frequent name that `label` is a typo of, "" if there is none."""
    frequent = [
        other
        for other, number in sorted(totals.items(), key=lambda item: (-item[1], item[0]))
        if other != label and is_slip(label, other) and _outweighs(other, number, label, totals[label])
    ]
    return frequent[0] if frequent else ""


def _outweighs(other: str, number: int, name: str, count: int) -> bool:
    """Whether `name` (`count` objects) is more likely a slip of `other` (`number` objects) than the reverse.

    Names apart only in case and separators are one class however frequent; the more frequent one stands.
    """
    if same_spelling(name, other):
        return (-number, other) < (-count, name)
    return number >= RARE * count


def is_slip(name: str, other: str) -> bool:
    """Whether two names differ only in case, separators, or one wrong, missing, extra or swapped letter.

    Ratios of similarity are of no use here: "masked" and "unmasked" are closer than many a real typo. A
    different digit (n95, n96) or Chinese character carries meaning and is not a typo either.
    """
    left, right = spelling(name), spelling(other)
    start = _common_start(left, right)
    end = _common_start(left[start:][::-1], right[start:][::-1])
    rest, other_rest = left[start : len(left) - end], right[start : len(right) - end]
    if rest == other_rest:
        return True
    if any(letter.isdigit() or letter >= _FIRST_CJK for letter in rest + other_rest):
        return False
    swapped = len(rest) == 2 and rest == other_rest[::-1]
    # A short name such as "no" is one letter away from too many others.
    return (swapped or max(len(rest), len(other_rest)) == 1) and min(len(left), len(right)) >= 4


def _common_start(left: str, right: str) -> int:
    shorter = min(len(left), len(right))
    return next((index for index in range(shorter) if left[index] != right[index]), shorter)
