"""Shards of features on disk: files that are whole, checked by SHA-256 and never pickled."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainer.core import atomic
from trainer.core.hashing import file_sha256, sha256
from trainer.features.features import Features


class DamagedShardError(Exception):
    """A file of a shard is missing, or is not what was written."""


@dataclasses.dataclass(frozen=True)
class Shard:
    """What a manifest records of a shard: its rows, and the SHA-256 of its two files."""

    rows: int
    vectors: str
    labels: str


def shard_paths(folder: Path, number: int) -> tuple[Path, Path]:
    """The files of a shard: its vectors and its labels."""
    return folder / f"{number:05}.vectors.npy", folder / f"{number:05}.labels.npy"


def write_shard(folder: Path, number: int, features: Features) -> Shard:
    """Write features as the two files of a shard."""
    vectors, labels = shard_paths(folder, number)
    return Shard(
        features.examples,
        write_array(vectors, features.vectors),
        write_array(labels, features.labels),
    )


def read_shard(folder: Path, number: int, shard: Shard) -> Features:
    """The features of a shard, mapped into memory.

    Raises:
        DamagedShardError: a file is missing, or is not what the manifest records.
    """
    vectors, labels = shard_paths(folder, number)
    features = Features(read_array(vectors, shard.vectors), read_array(labels, shard.labels))
    if not len(features.vectors) == len(features.labels) == shard.rows:
        raise DamagedShardError(f"{vectors} does not have the {shard.rows} rows of its manifest")
    return features


def write_manifest(
    folder: Path, about: str, identity: Mapping[str, Any], shards: Sequence[Shard]
) -> None:
    """Write manifest.json: what the features are of, and the shards there are."""
    content = {
        "about": about,
        "identity": identity,
        "shards": [dataclasses.asdict(shard) for shard in shards],
    }
    atomic.write_text(folder / "manifest.json", json.dumps(content, indent=1) + "\n")


def manifest_shards(folder: Path) -> list[Shard]:
    """The shards that a folder's manifest lists; none where it is missing or damaged."""
    try:
        content = json.loads((folder / "manifest.json").read_bytes())
        return [Shard(**shard) for shard in content["shards"]]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def write_array(path: Path, array: np.ndarray) -> str:
    """Write an array as .npy, whole or not at all; returns the SHA-256 of the file."""
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    atomic.write_bytes(path, content.getvalue())
    return sha256(content.getvalue())


def read_array(path: Path, checksum: str) -> np.ndarray:
    """The array of a .npy file, mapped into memory.

    Raises:
        DamagedShardError: the file is missing, or its SHA-256 is another.
    """
    try:
        if file_sha256(path) != checksum:
            raise DamagedShardError(f"{path} is damaged (wrong checksum)")
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DamagedShardError(f"{path} cannot be read ({error})") from error
