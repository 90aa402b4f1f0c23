"""The built-in samples: drawn pictures, prepared as TFDS prepares a dataset; see tools/samples."""

from pathlib import Path

FOLDER = Path(__file__).parent
"""A data_dir of TFDS, which has a folder for each sample."""


def sample_names() -> list[str]:
    """The samples that there are."""
    return sorted(path.parent.parent.name for path in FOLDER.glob("*/*/dataset_info.json"))
