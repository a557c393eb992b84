"""The words of the pages, in English and Chinese side by side; the page shows one of the two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from maskdet.detector.threshold_policy import ThresholdPolicy, percentage
from maskdet.reporting.drift_texts import DRIFT_TEXTS
from maskdet.reporting.markup import Markup, element
from maskdet.reporting.score_texts import SCORE_TEXTS

LANGUAGES: Final = (("en", "en"), ("zh", "zh-CN"))
"""Class of an element, and its language."""

TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "written": ("Written {time} by maskdet {version}", "由 maskdet {version} 生成于 {time}"),
    # Summary
    "summary": ("Summary", "概要"),
    "ap50": ("AP50", "AP50"),
    "ap50_95": ("AP50:95", "AP50:95"),
    "ap50_any_class": ("AP50, any class", "AP50（不分类别）"),
    "of_interval": ("95 % interval {low} to {high}", "95% 区间 {low} 至 {high}"),
    "of_count": ("{count} of {of}", "{of} 个中的 {count} 个"),
    # Data
    "data": ("Data", "数据"),
    "class": ("class", "类别"),
    "role": ("role", "含义"),
    "masked": ("masked", "已戴口罩"),
    "bare": ("bare", "未戴口罩"),
    "worn-wrong": ("worn wrong", "佩戴不规范"),
    "train": ("train", "训练"),
    "val": ("val", "验证"),
    "val_share": ("val share", "验证占比"),
    "objects": ("all faces", "全部人脸"),
    "pictures": ("pictures", "图片"),
    "aside": ("of none of these classes, ignored", "不属于这些类别、不计入的"),
    "difficult": ("of these difficult, which are ignored", "其中标为 difficult、不计入的"),
    "negatives": ("pictures without faces", "无人脸的图片"),
    "smaller_than": ("under {size} px", "小于 {size} 像素"),
    "face_sizes": (
        "Face sizes: square root of the area, at the network's input of {width} x {height}",
        "人脸大小：面积的平方根，按网络输入 {width} x {height} 计算",
    ),
    "split": ("Split", "划分"),
    "split_new": (
        "Split of pictures that data.frozen_val does not know yet",
        "data.frozen_val 尚未收录的图片的划分",
    ),
    "manifest_hash": ("sha256 of the data", "数据的 sha256"),
    # Training
    "training": ("Training", "训练"),
    "losses": ("Training loss", "训练损失"),
    "loss": ("loss", "损失"),
    "epoch": ("epoch", "轮次"),
    "ap_by_epoch": ("Average precision on val", "验证集上的平均精度"),
    "mean_ap50": ("AP50, mean", "AP50 均值"),
    "mean_ap50_95": ("AP50:95, mean", "AP50:95 均值"),
    "best_epoch": (
        "Best: AP50 {ap50} at epoch {epoch} of {epochs}.",
        "最佳：第 {epoch} 轮（共 {epochs} 轮），AP50 {ap50}。",
    ),
    "warnings": ("Warnings", "警告"),
    # Accuracy
    "accuracy": ("Accuracy on val", "验证集上的准确度"),
    "pr_curve": ("Precision and recall", "精确率与召回率"),
    "f1_curve": ("F1 by score threshold", "F1 随得分阈值的变化"),
    "precision": ("precision", "精确率"),
    "recall": ("recall", "召回率"),
    "f1": ("F1", "F1"),
    "score_threshold": ("score threshold", "得分阈值"),
    "faces": ("faces", "人脸"),
    "threshold": ("threshold", "阈值"),
    "found": ("found", "找出"),
    "false": ("false", "误报"),
    "missed_count": ("missed", "漏检"),
    "confusion": ("Confusion at the thresholds", "阈值下的混淆矩阵"),
    "confusion_note": (
        "Labelled faces by row, what the model says by column. The last row counts false alarms, the last "
        "column missed faces.",
        "行为标注的人脸，列为模型的判断。最后一行是误报，最后一列是漏检。",
    ),
    "labelled": ("labelled", "标注"),
    "background": ("background", "背景"),
    # Thresholds
    "thresholds": ("Thresholds and policies", "阈值与策略"),
    "policy": ("policy", "策略"),
    "in_force": ("in force", "当前使用"),
    "undecided": ("val cannot decide", "验证集不足以决定"),
    "policy.safe": (
        "safe: at most {share} of bare faces passed",
        "safe：未戴口罩的人脸被放行的比例不超过 {share}",
    ),
    "policy.best-f1": ("best-f1", "best-f1（F1 最高）"),
    "policy.recall": ("recall: at least {share} of each class", "recall：每类至少找出 {share}"),
    "policy.promise": (
        "promise: at least {share} of each role's wide faces",
        "promise：每种角色的较宽人脸至少找出 {share}",
    ),
    "policy.given": ("given in the pipeline file", "由配置文件指定"),
    "policy.override": ("given in place of the model's own", "替换了模型自带的阈值"),
    "policy.unknown": ("not stated", "未说明"),
    "recall_of": ("recall {label}", "召回率 {label}"),
    "threshold_of": ("threshold {label}", "阈值 {label}"),
    # Safety
    "safety": ("Safety", "安全性"),
    "safety_note": (
        "At the thresholds in force, with 95 % intervals. Widths are those at the network's input.",
        "按当前阈值，附 95% 区间。宽度按网络输入计算。",
    ),
    "measure": ("measure", "指标"),
    "share": ("share", "比例"),
    "counts": ("count", "计数"),
    "bare_passed": ("bare faces passed as masked", "未戴口罩被放行"),
    "bare_passed_wide": ("... of those wider than 16 px", "……其中宽于 16 像素的"),
    "bare_passed_any": (
        "bare faces with a masked label over its threshold, answered or not",
        "未戴口罩的人脸上有超过阈值的“已戴”框（无论是否采用）",
    ),
    "bare_passed_any_wide": ("... of those wider than 16 px", "……其中宽于 16 像素的"),
    "masked_as_bare": ("masked faces taken for bare", "已戴口罩被判为未戴"),
    "worn_wrong_as_masked": ("masks worn wrong taken for masked", "佩戴不规范被判为已戴"),
    "worn_wrong_as_bare": ("masks worn wrong taken for bare", "佩戴不规范被判为未戴"),
    "false_alarms_per_1000": ("false alarms per 1000 faces", "每 1000 张人脸的误报"),
    # Slices
    "slices": ("Slices", "分组"),
    "slices_note": (
        "Recall at the thresholds; AP50 where a slice has 10 faces of the class or more.",
        "阈值下的召回率；某类别在分组中至少有 10 张人脸时给出 AP50。",
    ),
    "slice": ("slice", "分组"),
    "face_pixels": ("face width, px", "人脸宽度（像素）"),
    "faces_per_picture": ("faces in a picture", "每张图片的人脸数"),
    "brightness": ("brightness", "亮度"),
    "collection": ("collection", "数据来源"),
    "dark": ("dark", "暗"),
    "medium": ("medium", "中等"),
    "bright": ("bright", "亮"),
    "passed": ("bare passed", "未戴被放行"),
    # Mistakes
    "mistakes": ("Worst mistakes", "最严重的错误"),
    "mistakes_note": (
        "Blue is the label, orange the model's answer.",
        "蓝框为标注，橙框为模型的判断。",
    ),
    "none": ("None.", "没有。"),
    "unseen": ("{count} more are not drawn.", "另有 {count} 个未画出。"),
    "bare passed": ("bare passed", "未戴被放行"),
    "false alarm": ("false alarm", "误报"),
    "missed": ("missed", "漏检"),
    "mixed up": ("mixed up", "混淆"),
    "was_labelled": ("labelled {label}", "标注：{label}"),
    "no_face": ("labelled: no face here", "标注：此处无人脸"),
    "was_said": ("said {label} {score}", "判断：{label} {score}"),
    "said_nothing": ("said nothing", "判断：无"),
    # Parity
    "parity": ("Parity of the exported model", "导出模型的一致性"),
    "parity_note": (
        "Largest differences on {pictures} pictures; allowed are {score} in score and {box} px.",
        "{pictures} 张图片上的最大差异；允许得分相差 {score}，框相差 {box} 像素。",
    ),
    "between": ("between", "比较对象"),
    "trainer and Paddle inference": ("trainer and Paddle inference", "训练器与 Paddle 推理"),
    "trainer and Paddle inference with NMS inside": (
        "trainer and Paddle inference with NMS inside",
        "训练器与内含 NMS 的 Paddle 推理",
    ),
    "trainer and ONNX Runtime": ("trainer and ONNX Runtime", "训练器与 ONNX Runtime"),
    "Paddle inference and ONNX Runtime": ("Paddle inference and ONNX Runtime", "Paddle 推理与 ONNX Runtime"),
    "batch": ("batch", "批大小"),
    "score_difference": ("score", "得分"),
    "box_difference": ("box, px", "框（像素）"),
    "matched": ("matched", "匹配"),
    # Gates
    "gates": ("Gates", "门槛规则"),
    "gates_passed": ("The challenger passes all {count} gates.", "挑战者通过了全部 {count} 条门槛规则。"),
    "gates_refused": (
        "{count} of {of} gates refuse the challenger.",
        "挑战者未通过 {of} 条门槛规则中的 {count} 条。",
    ),
    "gates_on": (
        "Compared on {pictures} pictures of val with {faces} faces; left out because a model was trained on "
        "them: {left_out}.",
        "在 {pictures} 张验证图片、{faces} 张人脸上比较；因某个模型训练时见过而排除：{left_out} 张。",
    ),
    "gate": ("gate", "规则"),
    "verdict": ("verdict", "结论"),
    "limit": ("limit", "限值"),
    "counted_on": ("counted on", "计数"),
    "why": ("why", "原因"),
    "champion": ("champion", "冠军"),
    "challenger": ("challenger", "挑战者"),
    "pass": ("pass", "通过"),
    "fail": ("fail", "未通过"),
    "unmeasured": ("unmeasured", "无法测量"),
    "no champion": ("no champion", "没有冠军"),
    # Duels
    "duels": ("Champion against challenger", "冠军与挑战者"),
    "duels_note": (
        "The pictures that decide, worst regressions first. Left of the line are the champion's boxes, right "
        "of it the challenger's; dotted white is the label.",
        "起决定作用的图片，退步最大的在前。线左侧是冠军的框，右侧是挑战者的框；白色虚线为标注。",
    ),
    "regressions": ("Worst regressions", "最大的退步"),
    "gains": ("Best gains", "最大的进步"),
    "mistakes_of": (
        "missed {missed}, bare passed {passed}, false alarms {alarms}",
        "漏检 {missed}，未戴被放行 {passed}，误报 {alarms}",
    ),
    "slide": ("Line between champion and challenger", "冠军与挑战者的分界线"),
    # Lineage
    "lineage": ("Lineage", "来历"),
    "lineage_note": (
        "What this model was made from. The same inputs give the same model.",
        "该模型的来源。相同的输入得到相同的模型。",
    ),
    "stage": ("stage", "步骤"),
    "state": ("state", "状态"),
    "time": ("time", "用时"),
    "key_figure": ("key figure", "关键数字"),
    "settings": ("All settings", "全部设置"),
    "setting": ("setting", "设置"),
    "value": ("value", "值"),
    "bundle_hash": ("sha256 of the bundle", "模型文件的 sha256"),
    "commit": ("code version", "代码版本"),
    "registered_as": ("registered as", "登记为"),
    "aliases": ("aliases", "别名"),
    "started_from": ("training started from", "训练起点"),
    "last_move": ("last change of the champion", "冠军的上次变更"),
    "finished": ("finished", "已完成"),
    "unfinished": ("not finished", "未完成"),
    # Comparison
    "metrics": ("Figures", "指标"),
    "measured_on": (
        "95 % intervals in brackets, then counts. The best value is marked.",
        "括号内为 95% 区间，其后为计数。最佳值已标出。",
    ),
    "differing": ("Settings that differ", "不同的设置"),
    "other_val": (
        "The runs were not evaluated on the same val pictures: their figures cannot be compared directly.",
        "这些运行的验证图片不同，指标不能直接比较。",
    ),
    "same_settings": ("All settings are the same.", "所有设置都相同。"),
    **SCORE_TEXTS,
    **DRIFT_TEXTS,
}
"""By key: English and Chinese. Words in braces are filled in."""


def say(key: str, **values: str) -> Markup:
    """The text in both languages, its values escaped."""
    parts = (
        element("span", text.format(**values), class_=name, lang=code)
        for (name, code), text in zip(LANGUAGES, TEXTS[key], strict=True)
    )
    return Markup("".join(parts))


def word(text: str) -> Markup | str:
    """A known word in both languages, any other text as it is."""
    return say(text) if text in TEXTS else text


def policy_name(policy: ThresholdPolicy) -> Markup:
    """A threshold policy with its parameter."""
    share = "" if policy.parameter is None else percentage(policy.parameter)
    return say(f"policy.{policy.name}", share=share)
