"""`python -m tools.samples`: rebuilds the samples of the package, the same bytes everywhere."""

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "trainer" / "samples"

PLAIN_ARITHMETIC = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Nehalem",
}
"""What numpy computes with on any x86-64 processor of the last fifteen years.

By itself it takes the widest instructions that there are. The last bits of a sine and of a product
of matrices differ by them, and so does a pixel in one picture of twenty.
"""


def main() -> int:
    """Rebuild, or with --check compare; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.samples", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="compare with what the package has; change nothing"
    )
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as built:
        build_all(Path(built))
        if check:
            return report_difference(Path(built), PACKAGE)
        replace_all(Path(built), PACKAGE)
    return 0


def build_all(folder: Path) -> None:
    """Draw every sample into a folder."""
    os.environ.update(PLAIN_ARITHMETIC)  # read once, when numpy is imported
    from tools.samples.build import SAMPLES, build_sample

    for name in SAMPLES:
        print(f"drawing {name}")
        with contextlib.redirect_stdout(None):  # TFDS speaks of a download
            build_sample(name, folder)


def report_difference(built: Path, package: Path) -> int:
    """1, and the first file that differs on stderr, where the package has other samples; else 0."""
    different = first_difference(built, package)
    if different is None:
        return 0
    print(f"{package / different} differs from what is built here", file=sys.stderr)
    return 1


def first_difference(built: Path, package: Path) -> str | None:
    """The first file, below either folder of samples, that the other has not or has otherwise."""
    files, kept = _files(built), _files(package)
    names = sorted(files.keys() | kept.keys())
    return next((name for name in names if files.get(name) != kept.get(name)), None)


def replace_all(built: Path, package: Path) -> None:
    """Put the samples that were built in the place of those that the package has."""
    for name in _samples(package):
        shutil.rmtree(package / name)
    for name in _samples(built):
        shutil.copytree(built / name, package / name)


def _samples(folder: Path) -> set[str]:
    """The samples in a folder, but not what else TFDS or Python left there."""
    return {name.partition("/")[0] for name in _files(folder)}


def _files(folder: Path) -> dict[str, bytes]:
    """The content of every file of the samples in a folder, by its name."""
    paths = (path for path in folder.glob("*/*.*.*/*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


if __name__ == "__main__":
    sys.exit(main())
