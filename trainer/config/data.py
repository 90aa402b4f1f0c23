"""Options of the data: what is learned, from which images, and where they are cached."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Annotated, Literal

from trainer.config.bounds import MAX_FLOAT, AtLeast, Between, Options
from trainer.core.addresses import address_of, local_folder
from trainer.core.cache_folder import platform_cache_folder


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataOptions(Options):
    """The task, its data, and their caches."""

    task: str = "flowers"
    """A task's name (flowers, horses, dogs, fashion, digits, folder …), tfds:NAME for any image
    classification dataset of TFDS, or your own as module:Class."""

    data: str = "auto"
    """auto (TFDS where it is prepared, else the sample), tfds (downloads it), sample, a folder:
    PATH/<class>/*, split 70/15/15 by content, or PATH/{train,valid,test}/<class>/*; or a table of
    paths and labels, PATH.csv or PATH.parquet. Of an address, gs://BUCKET/photos, all of it is
    downloaded once."""

    data_dir: Path | None = None
    """The folder of TFDS datasets; the default of TFDS when not given."""

    cache_dir: Path | None = None
    """Where features are cached; the platform's user cache when not given. With an address,
    s3://BUCKET/cache, they are downloaded from there, or extracted and uploaded."""

    sample_examples: Annotated[int | None, AtLeast(1)] = None
    """Use so many images of the sample, all splits together; all when not given."""

    feature_dtype: Literal["float32", "float16"] = "float32"
    """How features are cached: float16 takes half of the disk and the memory, and keeps three
    digits. Training computes in --precision all the same."""

    sampling: Literal["none", "balanced"] = "none"
    """balanced: an epoch takes all classes equally often, examples of rare ones more than once,
    and has as many steps as one that takes every example once."""

    feature_memory: Annotated[float, Between(0, MAX_FLOAT)] = 2.0
    """Gigabytes of memory for features; larger ones are read from disk during training. Images
    that are not augmented are decoded once where they fit, and else again in every epoch."""

    skip_bad_images: bool = False
    """Skip images that cannot be read, and list them in the result; without it the run stops at
    the first."""

    @property
    def tfds_folder(self) -> Path:
        """`data_dir`, or the folder that TFDS takes by itself; found without importing it."""
        default = os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
        return self.data_dir or Path(default).expanduser()

    @property
    def cache_folder(self) -> Path:
        """`cache_dir`, or the platform's folder for caches; of a remote one what is kept here."""
        if self.cache_dir is None or address_of(self.cache_dir) is None:
            return self.cache_dir or platform_cache_folder()
        return local_folder(platform_cache_folder(), self.cache_dir)
