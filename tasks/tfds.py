"""TFDS: any of its datasets that are images with a class each."""

from __future__ import annotations

import re

from trainer import UserError

from .folder import Folder


class Tfds(Folder):
    """The dataset that TFDS has under a name, `name/config` and `name:1.2.3` included.

    `python -m trainer.run --task tfds:cifar10 --data tfds` downloads and prepares it first.
    """

    splits = None

    def __init__(self, dataset: str) -> None:
        """TFDS is asked only when the data are opened.

        Raises:
            UserError: no dataset can have that name.
        """
        if not re.match(r"\w+(/|:[\d*]|$)", dataset):
            raise UserError(f"--task tfds:{dataset} names no dataset; write tfds:cifar10, say")
        self.dataset = dataset

    @property
    def name(self) -> str:
        """What the folder of its runs is called: one folder, whatever the dataset's name."""
        return "tfds-" + re.sub(r"[^\w.]+", "-", self.dataset)
