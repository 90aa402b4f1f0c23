"""A training loop for TensorFlow and Keras 3 that you can read, change and trust.

```python
from trainer import Config, Task, Trainer
```
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from trainer.config.config import Config
from trainer.core.errors import UserError
from trainer.task import Task

if TYPE_CHECKING:
    from trainer.hooks.standard import Hook
    from trainer.loop.trainer import Trainer

__all__ = ["Config", "Hook", "Task", "Trainer", "UserError"]

# These import TensorFlow, which a `--help` has no need of.
_HEAVY = {"Trainer": "trainer.loop.trainer", "Hook": "trainer.hooks.standard"}


def __getattr__(name: str) -> Any:
    if name not in _HEAVY:
        raise AttributeError(f"module 'trainer' has no attribute {name!r}")
    return getattr(importlib.import_module(_HEAVY[name]), name)
