"""The words about the promise of a model and the reliability of its scores, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SCORE_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    # Promise
    "promise": ("Promise", "承诺"),
    "promise_held_out": (
        "Each picture is counted with thresholds that were chosen, and scores that were calibrated, without "
        "it.",
        "统计每张图片时，所用的阈值和得分校准均未使用该图片。",
    ),
    "promise_in_force": ("At the thresholds in force.", "按当前使用的阈值。"),
    "promise_note": ("Widths are those at the network's input.", "宽度按网络输入计算。"),
    "promise.bare_passed": ("bare faces wider than 16 px passed as masked", "宽于 16 像素的未戴人脸被放行"),
    "promise.answered.masked": (
        "masked faces wider than 16 px answered as such",
        "宽于 16 像素的已戴人脸判断正确",
    ),
    "promise.answered.bare": (
        "bare faces wider than 16 px answered as such",
        "宽于 16 像素的未戴人脸判断正确",
    ),
    "promise.answered.worn-wrong": (
        "masks worn wrong wider than 16 px answered as such",
        "宽于 16 像素的佩戴不规范人脸判断正确",
    ),
    "promise.false_alarms": ("false alarms per face", "平均每张人脸的误报"),
    "at_most": ("at most {limit}", "不超过 {limit}"),
    "at_least": ("at least {limit}", "至少 {limit}"),
    "kept": ("kept", "兑现"),
    "proved": ("yes, proved", "是，且有统计把握"),
    "kept_unproved": ("yes, but val is too small to prove it", "是，但验证集太小，无法证明"),
    "broken": ("no", "否"),
    # Reliability
    "reliability": ("Scores as probabilities", "得分与概率"),
    "reliability_note": (
        "Of the detections with a score of 0.8, about 80 % should be right. The error is the mean gap "
        "between the scores and the share of them that is right (expected calibration error), for scores of "
        "{low} and above. By chance: the error that perfect scores would have with this many detections.",
        "得分为 0.8 的检测中应约有 80% 是正确的。误差为得分与正确比例的平均差距（期望校准误差），只计 {low} "
        "以上的得分。“随机”一列是得分完美、检测数量相同时的误差。",
    ),
    "calibrated_with": (
        "Calibrated with temperature {temperature}; the figures after are held out.",
        "已用温度 {temperature} 校准；“校准后”的数字由未参与拟合的图片得出。",
    ),
    "calibrated_in_file": (
        "The model file calibrates its scores.",
        "模型文件自带得分校准。",
    ),
    "uncalibrated": ("The scores are not calibrated.", "得分未经校准。"),
    "right_by_score": ("Share right by score", "各得分的正确比例"),
    "score": ("score", "得分"),
    "share_right": ("share that is right", "正确比例"),
    "perfect": ("perfect", "理想"),
    "before": ("before", "校准前"),
    "after": ("after", "校准后"),
    "scores_of": ("scores of", "得分范围"),
    "everything": ("all", "全部"),
    "detections_before": ("detections before", "检测数（校准前）"),
    "error_before": ("error before", "误差（校准前）"),
    "detections_after": ("detections after", "检测数（校准后）"),
    "error_after": ("error after", "误差（校准后）"),
    "by_chance": ("by chance", "随机"),
}
"""By key: English and Chinese. Words in braces are filled in."""
