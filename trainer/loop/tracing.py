"""A guard against graphs that are traced, and compiled, more often than anybody sees."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class TracedOnce:
    """Stands at the head of a graph's function and raises when it is traced a second time.

    ```python
    guard = TracedOnce("a span")

    @tf.function
    def run(first, count):
        guard(first=first, count=count)
    ```
    """

    def __init__(self, what: str) -> None:
        """Name what is traced, for the error."""
        self._what = what
        self._kinds: dict[str, str] | None = None

    @tf.autograph.experimental.do_not_convert
    def __call__(self, **arguments: Any) -> None:
        """Remember the kinds of the arguments of this trace.

        Raises:
            RuntimeError: there was one before; naming the arguments that are of another kind.
        """
        if not tf.inside_function():  # functions are run eagerly, as for debugging
            return
        kinds = {name: _kind(argument) for name, argument in arguments.items()}
        if self._kinds is None:
            self._kinds = kinds
            return
        changes = [
            f"{n} was {self._kinds[n]} and is {k}" for n, k in kinds.items() if self._kinds[n] != k
        ]
        why = ", ".join(changes) or "its arguments are as before, but the device or scope is not"
        raise RuntimeError(f"{self._what} was traced a second time: {why}")


def _kind(argument: Any) -> str:
    """What a graph is traced for: of a tensor the type and shape, of a Python value itself."""
    if isinstance(argument, tf.Tensor):
        return f"{argument.dtype.name} {argument.shape}"
    if isinstance(argument, tf.data.Iterator):
        return f"an iterator of {argument.element_spec}"
    return repr(argument)
