"""The words of the page of `maskdet drift`, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from maskdet.drift.reason import ENGLISH

_REASONS: Final[Mapping[str, str]] = {
    "no_profile": "模型文件没有可供对比的验证集分布，请重新导出",
    "no_picture": "尚无图片",
    "as_on_val": "与验证集一致",
    "differs": "实际看到的与验证集不同；随机波动只能解释 {chance}",
    "needs": "随机波动就可能达到限值；需要 {least} 个样本",
    "val_too_small": "随机波动就可能达到限值；验证集本身样本太少",
    "shares": "占图片的 {seen}，验证集上为 {val}；随机波动可解释 {chance}",
    "labelled_since": "自此版本投入使用以来完成标注",
    "no_inbox": "未指定收件夹",
}

DRIFT_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "retraining": ("Whether retraining is due", "是否需要重新训练"),
    "retraining_due": ("Retraining is due: {rules}.", "需要重新训练：{rules}。"),
    "retraining_not_due": ("No rule says that retraining is due.", "没有规则表明需要重新训练。"),
    "retraining_open": (
        "Too few samples to decide either way: {rules}.",
        "样本太少，无法判断：{rules}。",
    ),
    "model_version": ("{model}, version {version}", "{model}，版本 {version}"),
    "looked_back": ("From {since} to {until}, UTC.", "从 {since} 至 {until}（UTC）。"),
    "rule": ("rule", "规则"),
    "rule.psi": ("compared with val", "与验证集对比"),
    "rule.uncertain": ("more uncertain verdicts than on val", "不确定的判定多于验证集"),
    "rule.inbox_pictures": ("labelled pictures", "已标注的图片"),
    "ruling.ok": ("ok", "正常"),
    "ruling.due": ("due", "需要重新训练"),
    "ruling.too few": ("too few", "样本太少"),
    "drift_features": ("Compared with val", "与验证集对比"),
    "drift_features_note": (
        "PSI is 0 for equal distributions. In each pair of bars the left one is the share on val, the right "
        "one the share seen in service.",
        "分布相同时 PSI 为 0。每对柱形中，左侧为验证集上的占比，右侧为服务中实际看到的占比。",
    ),
    "on_val": ("on val", "验证集"),
    "in_service": ("seen", "实际"),
    "psi_is": (
        "PSI {psi}, limit {limit}; {samples} seen, {reference} on val",
        "PSI {psi}，限值 {limit}；实际 {samples}，验证集 {reference}",
    ),
    "no_reference": (
        "The bundle has no profile of val to compare with. Export it again.",
        "此模型文件没有验证集的分布，无从对比。请重新导出。",
    ),
    "feature.brightness": ("brightness", "亮度"),
    "feature.blur": ("sharpness", "清晰度"),
    "feature.faces": ("faces in a picture", "每张图片的人脸数"),
    "feature.face_size": ("relative face size", "人脸相对大小"),
    "feature.face_pixels": ("face size in pixels", "人脸像素大小"),
    "feature.score": ("scores", "得分"),
    "feature.label": ("classes", "类别"),
    "drift.stable": ("stable", "稳定"),
    "drift.drift": ("drift", "漂移"),
    "drift.too few": ("too few", "样本太少"),
    "drift": ("drift", "漂移"),
    "verdict.ok": ("rule kept", "符合规定"),
    "verdict.violation": ("rule broken", "违反规定"),
    "verdict.uncertain": ("uncertain", "不确定"),
    "cameras": ("By camera", "按摄像机"),
    "camera": ("camera", "摄像机"),
    "unnamed": ("without a name", "未命名"),
    "versions": ("By model version", "按模型版本"),
    "version": ("version", "版本"),
    "first_answer": ("first answer", "首次使用"),
    "days": ("By day", "按日期"),
    "day": ("day", "日期"),
    **{f"reason.{key}": (text, _REASONS[key]) for key, text in ENGLISH.items()},
}
"""By key: English and Chinese. Words in braces are filled in."""
