"""Files of `torch.save` as it wrote them before torch 1.6, read without torch.

Such a file is five pickles (a magic number, the protocol, facts about the machine, the object, the
keys of its storages) and, for each key, the number of elements and the elements themselves. What a
pickle may name is on the list below, and nothing of it runs code: another name is refused.
"""

from __future__ import annotations

import collections
import dataclasses
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C


class NotATorchFileError(ValueError):
    """The file is no such file, is cut off, or names what is not on the list."""


@dataclasses.dataclass(frozen=True)
class _Tensor:
    """Where the elements of a tensor are: they come in the file after its description."""

    storage: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self, storages: Mapping[str, np.ndarray]) -> np.ndarray:
        """A view of its elements.

        Raises:
            NotATorchFileError: some of them lie outside of the storage.
        """
        elements = storages[self.storage]
        steps = zip(self.shape, self.strides, strict=True)
        last = self.offset + sum((size - 1) * stride for size, stride in steps)
        if min(self.offset, *self.shape, *self.strides, 0) < 0 or last >= len(elements):
            raise NotATorchFileError("a tensor reaches beyond its storage")
        strides = [stride * elements.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(elements[self.offset :], self.shape, strides)


def read_state_dict(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a state dict by name.

    Raises:
        NotATorchFileError: it is not a state dict in the format above.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        try:
            tensors, storages = _read(file)
            return {name: tensor.array(storages) for name, tensor in tensors.items()}
        except NotATorchFileError:
            raise
        except (
            pickle.UnpicklingError,
            ValueError,
            TypeError,
            AttributeError,
            LookupError,
        ) as error:
            raise NotATorchFileError(f"{path.name}: {error}") from error
        except EOFError as error:
            raise NotATorchFileError(f"{path.name} is cut off") from error


def _read(file: BinaryIO) -> tuple[dict[str, _Tensor], dict[str, np.ndarray]]:
    if _Unpickler(file).load() != _MAGIC_NUMBER:
        raise NotATorchFileError("it does not begin as torch.save began files before torch 1.6")
    for _ in ("protocol", "machine"):
        _Unpickler(file).load()
    described = _Unpickler(file)
    tensors = described.load()
    keys = _Unpickler(file).load()
    return tensors, {key: _elements(file, described.dtypes[key]) for key in keys}


def _elements(file: BinaryIO, dtype: np.dtype) -> np.ndarray:
    count = int.from_bytes(file.read(8), "little")
    content = file.read(count * dtype.itemsize)
    if len(content) < count * dtype.itemsize:
        raise EOFError
    return np.frombuffer(content, dtype)


def _rebuild_tensor(
    storage: str, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> _Tensor:
    return _Tensor(storage, offset, shape, strides)


class _Unpickler(pickle.Unpickler):
    """A pickle whose names are all on the list."""

    NAMES: dict[tuple[str, str], Callable[..., Any] | str] = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
        ("torch", "FloatStorage"): "<f4",
        ("torch", "LongStorage"): "<i8",
    }

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.dtypes: dict[str, np.dtype] = {}

    def find_class(self, module: str, name: str) -> Any:
        """What a name stands for.

        Raises:
            NotATorchFileError: the name is not on the list.
        """
        if (module, name) not in self.NAMES:
            raise NotATorchFileError(f"it names {module}.{name}, which is no part of weights")
        return self.NAMES[module, name]

    def persistent_load(self, pid: Any) -> str:
        """The key of a storage, whose elements come later."""
        kind, dtype, key, *_ = pid
        if kind != "storage" or dtype not in ("<f4", "<i8"):
            raise NotATorchFileError(f"it has a {kind} of {dtype} for a storage")
        self.dtypes[key] = np.dtype(dtype)
        return key
