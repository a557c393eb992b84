"""Which class of a checkpoint knows most about which class of the data: by name, or by what names mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from maskdet.errors import PipelineFileError
from maskdet.settings import nearest

ClassMap = Mapping[str, str | None]
_SEPARATORS = re.compile(r"[\W_]+")
# How public data sets spell the three cases, without case and separators.
_MEANINGS = {
    "worn": "withmask facemask mask masked facewithmask facewithmaskcorrect wearingmask maskon correctmask "
    "maskworncorrect maskworncorrectly maskwearedcorrect 戴口罩 口罩 佩戴口罩",
    "bare": "withoutmask nomask facenomask unmasked facewithoutmask maskoff nonmask 未戴口罩 无口罩 没戴口罩 "
    "未佩戴口罩",
    "wrong": "maskwearedincorrect maskwearedincorrectly maskwornincorrect maskwornincorrectly incorrectmask "
    "incorrect incorrectlyworn facewithmaskincorrect improper impropermask wrongmask maskwrong "
    "口罩佩戴不规范 未正确佩戴口罩",
}
_MEANING_OF = {word: meaning for meaning, words in _MEANINGS.items() for word in words.split()}
_AMBIGUOUS = "face"


def related(labels: Sequence[str], known: Sequence[str], chosen: ClassMap) -> list[int | None]:
    """For each of the data's `labels` the place in `known` of the class to start from, None for none.

    `chosen` is model.class_map and goes first; then the same name; then the same name but for case and
    separators; then the same meaning, such as with_mask and face_mask.

    Raises PipelineFileError where `chosen` names a class that is not there.
    """
    _check(labels, known, chosen)
    return [_place(label, labels, known, chosen) for label in labels]


def _place(label: str, labels: Sequence[str], known: Sequence[str], chosen: ClassMap) -> int | None:
    if label in chosen:
        name = chosen[label]
        return None if name is None else known.index(name)
    if label in known:
        return known.index(label)
    bare, meaning = _bare(label), _meaning(label, labels)
    for place, other in enumerate(known):
        if _bare(other) == bare:
            return place
    meanings = [_meaning(other, known) for other in known]
    return meanings.index(meaning) if meaning in meanings and meaning else None


def _meaning(label: str, among: Sequence[str]) -> str:
    name = _bare(label)
    # Alone, `face` is any face; beside a class of masked faces it is a bare one.
    if name == _AMBIGUOUS and any(_MEANING_OF.get(_bare(other)) == "worn" for other in among):
        return "bare"
    return _MEANING_OF.get(name, "")


def _bare(label: str) -> str:
    return _SEPARATORS.sub("", label.casefold())


def _check(labels: Sequence[str], known: Sequence[str], chosen: ClassMap) -> None:
    for label, name in chosen.items():
        if label not in labels:
            raise _unknown(f"{label} is no class of the data", label, labels)
        if name is not None and name not in known:
            raise _unknown(f"{name} is no class of the checkpoint", name, known)


def _unknown(fault: str, name: str, names: Sequence[str]) -> PipelineFileError:
    near = nearest(name, names)
    few = ", ".join(names[:10]) or "it does not say what its classes are"
    hint = f"did you mean {near}?" if near else f"there are: {few}"
    return PipelineFileError(f"model.class_map: {fault}", hint)
