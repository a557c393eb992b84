"""The page's texts in English and Chinese."""

from __future__ import annotations

from html import escape
from typing import Final

from maskdet.judging.audit.disputes import Kind
from maskdet.judging.audit.suspects import AuditResult, Suspect

KIND_NAMES: Final[dict[Kind, tuple[str, str]]] = {
    "missing": ("missing label", "漏标"),
    "swapped": ("wrong class", "类别有误"),
    "misplaced": ("badly placed box", "框不准"),
}
LABEL_KEY: Final = ("label", "标注")
SAID_KEY: Final = ("model", "模型")
OTHER_KEY: Final = ("other labels", "其他标注")
ALL: Final = ("all", "全部")
HEADING: Final = ("Labels to look at again", "需要复查的标注")
_PARTS: Final = {"train": "训练集", "val": "验证集"}


def both(texts: tuple[str, str]) -> str:
    """Both languages as HTML; the page shows one of them."""
    english, chinese = map(escape, texts)
    return f'<span lang="en">{english}</span><span lang="zh-CN">{chinese}</span>'


def summary(result: AuditResult) -> tuple[str, str]:
    shown, disputed = len(result.suspects), sum(result.disputed.values())
    return (
        f"{result.model} was run on {result.pictures} pictures with {result.labels} labels and disagrees in "
        f"{disputed} places. The {shown} most suspicious are shown, in that order. The model may be "
        "the one that is wrong: the picture decides.",
        f"用 {result.model} 检查了 {result.pictures} 张图片、{result.labels} 个标注，"
        f"共有 {disputed} 处不一致。下面按可疑程度列出前 {shown} 处。出错的也可能是模型，请以图片为准。",
    )


def reason(suspect: Suspect, overlap: float) -> tuple[str, str]:
    """`overlap`: IoU of the two boxes."""
    said, score = suspect.said, f"{suspect.score:.2f}"
    if suspect.kind == "missing":
        return f"no label; the model says {said} {score}", f"没有标注；模型判为 {said} {score}"
    if suspect.kind == "swapped":
        return (
            f"labelled {suspect.label}; the model says {said} {score}",
            f"标注为 {suspect.label}；模型判为 {said} {score}",
        )
    share = f"{overlap:.0%}"
    return (
        f"both say {said} ({score}), but the boxes overlap by only {share}",
        f"两者都判为 {said}（{score}），但两框的重叠只有 {share}",
    )


def place(suspect: Suspect) -> tuple[str, str]:
    return (
        f"suspicion {suspect.suspicion:.2f}, in {suspect.part}",
        f"可疑程度 {suspect.suspicion:.2f}，{_PARTS[suspect.part]}",
    )


def footer() -> tuple[str, str]:
    return (
        "Scored after ObjectLab (Tkachenko, Thyagarajan and Mueller 2023).",
        "评分方法参照 ObjectLab（Tkachenko、Thyagarajan 和 Mueller，2023）。",
    )
