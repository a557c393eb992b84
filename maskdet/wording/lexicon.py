"""The role that a class name implies, and which names mean the same.

A name is read word by word, in English and Chinese, and every word has to be known: `nomad_mask` implies
nothing, while `no_mask` implies bare. Where the name is not enough, the user sets the role in data.roles.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Final, Literal

Role = Literal["masked", "bare", "worn-wrong"]
"""A mask worn correctly, no mask, or a mask that leaves the nose or mouth free."""
Roles = Mapping[str, Role]
"""By label; a label that is not in it has no known role."""

_WORDS: Final = {
    "mask": "mask masks masked masking facemask facemasks 口罩",
    "not": "no not non none without wo off un less free missing absent lacking removed isnt arent doesnt "
    "dont 未 没 没有 沒 沒有 不 无 無 非 未曾 摘 摘下 摘掉 脱 脱下 取下",
    "right": "right rightly correct correctly proper properly appropriate appropriately valid complete full "
    "fully ok good compliant 正确 正確 正常 规范 規範 标准 標準 合格 完整 完全 符合 好",
    "wrong": "wrong wrongly incorrect incorrectly improper improperly inappropriate inappropriately misworn "
    "错 错误 錯 錯誤 不当 不當 异常",
    # Applies to masks only: a face may be partial or low for other reasons.
    "askew": "bad badly poor poorly partial partially partly loose loosely misplaced hanging dangling "
    "lowered pulled down slipped invalid 歪 半 松 拉下 下拉 下滑 滑落 脱落",
    "worn": "with w wear wears wearing weared worn wore on has have having put yes "
    "戴 佩戴 配戴 穿戴 带 帶 佩带 着 著 了 有 已 已经 上",
    "nose": "nose noses 鼻 鼻子 鼻孔 口鼻 鼻口",
    "mouth": "mouth mouths lip lips 嘴 嘴巴 口 嘴部 口部",
    "chin": "chin chins neck jaw 下巴 脖子 颈部 下颌",
    "open": "out exposed exposing visible uncovered uncovering uncover showing shown outside open "
    "露 露出 外露 裸露 暴露",
    "covered": "cover covers covered covering over 遮 遮住 盖住 覆盖 遮盖 遮挡",
    "low": "under below beneath underneath 下 下面",
    "bare": "bare barefaced bareface naked 裸脸 素颜 光脸",
    "face": "face faces faced facial 人脸 脸 脸部 面部 臉 人臉",
    # Neutral words: who wears the mask, what it is made of, and grammar.
    "plain": "a an the is are of and in at its his her class label type status state "
    "person persons people human humans man men woman women boy girl child children kid worker head "
    "surgical medical cloth fabric disposable n95 kn95 ffp2 ffp3 detected found present "
    "人 人员 者 行人 员工 的 在 地 是 类 类别 状态 到 至 于 和 住 医用 医疗 外科",
}
_KIND: Final = {word: kind for kind, words in _WORDS.items() for word in words.split()}
# Words that may be run together, as in `withoutmask`. The shortest count only as separate words.
_JOINED: Final = sorted(
    (word for word in _KIND if word not in {"a", "w", "wo"}), key=lambda word: (-len(word), word)
)
_CONTRARY: Final = ({"on", "off"}, {"with", "without"}, {"yes", "no"})
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WITHOUT: Final = re.compile(r"(?<![^\W_])w/o(?![^\W_])")
_RUN: Final = re.compile(r"[^\W_]+")
_TURN: Final = re.compile(r"(?<=[\u2e80-\U0003ffff])(?=[a-z0-9])|(?<=[a-z0-9])(?=[\u2e80-\U0003ffff])")
_LONGEST: Final = 80
"""Characters; a longer name has no role."""


def label_roles(labels: Sequence[str], given: Roles | None = None) -> dict[str, Role]:
    """The role of each label that has one, in the order of the labels; `given` overrides the names.

    Beside a label of masked faces, and none of bare ones, a plain `face` is a bare one.
    """
    told = {label: (given or {}).get(label) or named_role(label) for label in labels}
    if "masked" in told.values() and "bare" not in told.values():
        told.update({label: "bare" for label in labels if told[label] is None and _is_plain_face(label)})
    return {label: role for label, role in told.items() if role is not None}


def unknown_roles(labels: Iterable[str], roles: Roles) -> tuple[str, ...]:
    """The labels whose role is unknown."""
    return tuple(label for label in labels if label not in roles)


def beyond_names(labels: Sequence[str], roles: Roles) -> dict[str, Role]:
    """The roles that differ from what the names imply."""
    told = label_roles(labels)
    return {label: role for label, role in roles.items() if told.get(label) != role}


def namesake(label: str, known: Sequence[str]) -> int | None:
    """The place in `known` of the same name, else of the same spelling, else None."""
    if label in known:
        return known.index(label)
    return next((place for place, other in enumerate(known) if same_spelling(label, other)), None)


def named_role(label: str) -> Role | None:
    """The role that a name implies by itself; None if a word is unknown or the name is inconclusive."""
    words = _words(label)
    kinds = {_KIND[word] for word in words}
    if _at_odds(words):
        return None
    if kinds & {"nose", "mouth", "chin"}:
        return _of_parts(kinds)
    if "mask" in kinds:
        return _of_mask(kinds)
    return _without_mask(kinds)


def same_spelling(label: str, other: str) -> bool:
    """Whether two names are the same apart from case and separators."""
    return spelling(label) == spelling(other)


def spelling(label: str) -> str:
    """A name without case and separators; a name made only of separators is returned unchanged."""
    return "".join(_RUN.findall(label.casefold())) or label


def _at_odds(words: Sequence[str]) -> bool:
    """Whether a name has a double negation, or covers both cases: `mask_and_no_mask`."""
    counts = Counter(_KIND[word] for word in words)
    both = counts["not"] == 1 and counts["mask"] > 1
    return both or counts["not"] > 1 or any(pair <= set(words) for pair in _CONTRARY)


def _of_mask(kinds: AbstractSet[str]) -> Role | None:
    if kinds & {"wrong", "askew", "low"}:
        return None if "not" in kinds else "worn-wrong"
    if "not" in kinds:
        return "worn-wrong" if "right" in kinds else "bare"
    return None if kinds & {"bare", "open"} else "masked"


def _without_mask(kinds: AbstractSet[str]) -> Role | None:
    if "not" in kinds:
        return "worn-wrong" if {"right", "worn"} <= kinds else None
    if "wrong" in kinds:
        return "worn-wrong"
    return "bare" if "bare" in kinds else None


def _of_parts(kinds: AbstractSet[str]) -> Role | None:
    """Names that mention nose, mouth or chin: where the mask sits, or what it leaves free."""
    masked, negated = "mask" in kinds, "not" in kinds
    if "covered" in kinds and "open" not in kinds:
        # A mask over the chin may be pulled down to it, or reach up to the nose.
        whole = masked and "nose" in kinds
        return "worn-wrong" if negated else "masked" if whole else None
    if negated:
        return None
    slipped = masked and kinds & {"low", "askew", "chin"}
    return "worn-wrong" if slipped or kinds & {"open", "wrong"} else None


def _is_plain_face(label: str) -> bool:
    kinds = {_KIND[word] for word in _words(label)}
    return "face" in kinds and kinds <= {"face", "plain"}


@lru_cache(maxsize=1024)
def _words(label: str) -> tuple[str, ...]:
    """The words of a name, all of them known; empty if any is not."""
    if len(label) > _LONGEST:
        return ()
    text = _HUMP.sub(" ", label).casefold()
    text = _WITHOUT.sub("without", text.replace("n't", "nt").replace("n’t", "nt"))
    runs = _RUN.findall(text)
    parts = [_parted(piece) for run in runs for piece in _TURN.split(run)]
    return tuple(word for part in parts for word in part) if all(parts) else ()


@lru_cache(maxsize=1024)
def _parted(run: str) -> tuple[str, ...]:
    """A run of letters split into known words, longest first.

    Remembered, since many ways to part the beginning leave the same rest: `nonon` is no-non or non-on.
    """
    if run in _KIND:
        return (run,)
    for word in _JOINED:
        if run.startswith(word) and (rest := _parted(run[len(word) :])):
            return (word, *rest)
    return ()
