"""ONNX Runtime's messages, as an H200 with CUDA 13 gave them, in the words of maskdet."""

from __future__ import annotations

import pytest

from maskdet.detector.runtime.gpu_faults import gpu_fault

SOURCE = "/onnxruntime_src/onnxruntime/core/providers/cuda/info.cc:63 [ONNXRuntimeError] : 1 : FAIL : "


@pytest.mark.parametrize(
    ("said", "meaning", "hint"),
    [
        (
            f"{SOURCE}Invalid device ID: 1, must be between 0 (inclusive) and 1 (exclusive).\n",
            "there is no gpu:1: CUDA sees one GPU, gpu:0",
            "CUDA_VISIBLE_DEVICES",
        ),
        (
            f"{SOURCE}Invalid device ID: 7, must be between 0 (inclusive) and 4 (exclusive).\n",
            "there is no gpu:7: CUDA sees 4 GPUs, gpu:0 to gpu:3",
            "nvidia-smi",
        ),
        (
            f"{SOURCE}CUDA failure 100: no CUDA-capable device is detected ; GPU=-1 ; hostname=vm",
            "CUDA sees no GPU",
            "CUDA_VISIBLE_DEVICES",
        ),
        (
            "Name:'Conv.0' Status Message: bfc_arena.cc:360 Available memory of 54401792 is smaller than "
            "requested bytes of 419430400\n",
            "of the GPU's memory that it may use, 51 MiB are left, and it needs 400 at once",
            "serve.gpu_memory_mb",
        ),
        ("CUDA failure 2: out of memory ; GPU=0", "the GPU has too little free memory", "serve.max_batch"),
    ],
)
def test_what_a_message_means(said: str, meaning: str, hint: str) -> None:
    fault = gpu_fault(said)
    assert fault is not None
    assert fault[0] == meaning
    assert hint in fault[1]


def test_other_messages_are_left_as_they_are() -> None:
    assert gpu_fault("Non-zero status code returned while running Conv node") is None
