"""A training loop for TensorFlow and Keras 3 that you can read, change and trust.

```python
from trainer import Config, Task, Trainer
```
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from trainer.config.config import Config
from trainer.core.errors import UserError
from trainer.task import Task

if TYPE_CHECKING:
    from trainer.hooks.standard import Hook
    from trainer.loop.trainer import Trainer

# TensorFlow turns oneDNN on by itself only where the processor has AVX512-VNNI or the like. On
# other x86 processors it is worth a factor of two, so it is on unless the user has decided.
# TensorFlow reads the variable when it is imported: import trainer first.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

__all__ = ["Config", "Hook", "Task", "Trainer", "UserError"]

# These import TensorFlow, which a `--help` has no need of.
_HEAVY = {"Trainer": "trainer.loop.trainer", "Hook": "trainer.hooks.standard"}


def __getattr__(name: str) -> Any:
    if name not in _HEAVY:
        raise AttributeError(f"module 'trainer' has no attribute {name!r}")
    return getattr(importlib.import_module(_HEAVY[name]), name)
