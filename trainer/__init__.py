"""A training loop for TensorFlow and Keras 3 that you can read, change and trust.

```python
import trainer
from tasks.flowers import Flowers

run = trainer.train(Flowers(), trainer.Config(epochs=5))
run.metrics["test"]["accuracy"]
```
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from trainer.config.config import Config
from trainer.core.errors import UserError
from trainer.core.tensorflow_import import import_tensorflow, prefer_onednn
from trainer.runs.run import Run, load, train
from trainer.task import ImageClassification, MultiLabelClassification, Regression, Task

if TYPE_CHECKING:
    from trainer.data.own_data import DataPipeline
    from trainer.distribution.replicas import batch_mean
    from trainer.loop.history import EpochRecord
    from trainer.loop.inner_loop import LoopOutput
    from trainer.loop.trainer import Hook, Trainer
    from trainer.loop.triggers import EverySeconds, EverySteps
    from trainer.report.display import Display

prefer_onednn()  # before anything imports TensorFlow

_IMPORTED_WHEN_USED = {
    "batch_mean": "trainer.distribution.replicas",
    "DataPipeline": "trainer.data.own_data",
    "Trainer": "trainer.loop.trainer",
    "Hook": "trainer.loop.trainer",
    "LoopOutput": "trainer.loop.inner_loop",
    "EpochRecord": "trainer.loop.history",
    "EverySteps": "trainer.loop.triggers",
    "EverySeconds": "trainer.loop.triggers",
    "Display": "trainer.report.display",
}
"""Where these names are, with TensorFlow or rich; a `--help` needs none of them."""

__all__ = [
    "Config",
    "DataPipeline",
    "Display",
    "EpochRecord",
    "EverySeconds",
    "EverySteps",
    "Hook",
    "ImageClassification",
    "LoopOutput",
    "MultiLabelClassification",
    "Regression",
    "Run",
    "Task",
    "Trainer",
    "UserError",
    "batch_mean",
    "load",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _IMPORTED_WHEN_USED:
        raise AttributeError(f"module 'trainer' has no attribute {name!r}")
    import_tensorflow()
    return getattr(importlib.import_module(_IMPORTED_WHEN_USED[name]), name)
