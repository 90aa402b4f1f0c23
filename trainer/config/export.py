"""The choices of an export."""

from __future__ import annotations

from typing import Literal

ModelFormat = Literal["savedmodel", "litert", "onnx", "keras"]
"""The format of an exported model."""

Quantization = Literal["int8", "float16"]
"""What a LiteRT model computes with in place of float32."""
