"""Whether TensorFlow and what stands on it can be imported, and what TensorFlow then sees.

In a process of its own: a processor without AVX ends it, and a broken library may.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import signal
import subprocess
import sys
from typing import Any

from trainer.core.tensorflow_import import import_tensorflow, onednn_enabled

MODULES = ("tensorflow", "keras", "tensorflow_hub", "tensorflow_datasets")
"""What a run imports, each on those before it."""

SECONDS = 120
"""How long the imports may take: more than on any machine that works."""

_PROGRAM = """import json, sys
sys.path[:] = json.loads(sys.argv[1])
from trainer.machine.imports import print_imports
print_imports()"""


@dataclasses.dataclass(frozen=True)
class Imports:
    """What came of the imports."""

    errors: dict[str, str]
    """By the module that cannot be imported, in one line."""

    devices: tuple[str, ...] = ()
    """CPU:0, GPU:0 (NVIDIA L4) and the like."""

    onednn: bool | None = None
    """Whether TensorFlow computes with it; None where there is no TensorFlow."""


def inspect_imports() -> Imports:
    """The imports of a new process with the paths of this one."""
    command = [sys.executable, "-c", _PROGRAM, json.dumps(sys.path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return Imports({"tensorflow": f"the import takes more than {SECONDS} seconds"})
    if done.returncode:
        return Imports({"tensorflow": _last_words(done)})
    found = json.loads(done.stdout.splitlines()[-1])
    return Imports(found["errors"], tuple(found["devices"]), found["onednn"])


def print_imports() -> None:
    """Import them here, and print what came of it as one line of JSON."""
    with contextlib.suppress(Exception):  # of a module whose own turn comes
        import_tensorflow()
    errors = {module: error for module in MODULES if (error := _import_error(module))}
    if "tensorflow" in errors:
        found = Imports(errors)
    else:
        found = Imports(errors, tuple(_devices()), onednn_enabled())
    print(json.dumps(dataclasses.asdict(found)))


def _import_error(module: str) -> str | None:
    """Why a module cannot be imported, in one line; None where it can."""
    try:
        importlib.import_module(module)
    except Exception as error:  # a broken installation raises anything
        lines = str(error).strip().splitlines()
        return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return None


def _devices() -> list[str]:
    import tensorflow as tf

    return [_device_name(tf.config, device) for device in tf.config.list_physical_devices()]


def _device_name(config: Any, device: Any) -> str:
    name = device.name.removeprefix("/physical_device:")
    model = config.experimental.get_device_details(device).get("device_name")
    return f"{name} ({model})" if model else name


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    """Why a process has ended that was not to."""
    if done.returncode < 0:
        return f"the import is ended by {signal.Signals(-done.returncode).name}"
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"the import ends with exit code {done.returncode}"
