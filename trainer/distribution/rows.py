"""Which rows of a batch are whose: of this process, of each of its replicas."""

from __future__ import annotations

import dataclasses
from typing import Any

from trainer.core.errors import UserError


@dataclasses.dataclass(frozen=True)
class Rows:
    """The rows `first` … `last - 1` of a batch of `batch_size` rows."""

    first: int
    last: int
    batch_size: int

    @property
    def count(self) -> int:
        """How many they are."""
        return self.last - self.first

    def take(self, tensor: Any, of: Rows) -> Any:
        """These rows of a tensor that holds those of another range, which includes them."""
        if self == of:
            return tensor
        return tensor[self.first - of.first : self.last - of.first]


def all_rows(batch_size: int) -> Rows:
    """Of a batch that one process has whole."""
    return Rows(0, batch_size, batch_size)


def rows_of_replica(number: int, replicas: int, batch_size: int) -> Rows:
    """Those of one replica; the last ones have a row less where the batch cannot be divided.

    Raises:
        UserError: there are fewer rows than replicas.
    """
    if batch_size < replicas:
        raise UserError(
            f"--batch-size {batch_size}: each of the {replicas} replicas takes at least a row;"
            f" choose {replicas} or more"
        )
    least, more = divmod(batch_size, replicas)
    first = number * least + min(number, more)
    return Rows(first, first + least + (number < more), batch_size)
