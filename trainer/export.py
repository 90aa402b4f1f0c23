"""`python -m trainer.export RUN DIR`: a finished run as a model for other programs."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from trainer import command_line
from trainer.config.export import ModelFormat, Quantization
from trainer.runs.run import load
from trainer.setup.resume import find_run


@dataclasses.dataclass(frozen=True)
class ExportOptions:
    """Write a finished run as a model that needs nothing of this package."""

    run: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """The folder of the run, LOG_DIR/<task>/<run>, or last."""

    folder: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")]
    """The new folder for the model."""

    format: ModelFormat = "savedmodel"
    """savedmodel, for TensorFlow, its Serving and its hub; litert, for phones; onnx; or keras,
    where the whole network is of Keras."""

    quantize: Quantization | None = None
    """With --format litert: weights in float16, or weights and activations in int8, for which
    training images are read; what validation loses by it is printed."""

    log_dir: Path = Path("logs")
    """Where the last run is looked for."""


OPTIONS = ExportOptions(tyro.MISSING, tyro.MISSING)
"""The defaults, which shells complete too; RUN and DIR have none."""


def main(arguments: Sequence[str]) -> None:
    """Export the run that the options name.

    Raises:
        UserError: what a person can fix.
    """
    options, output = command_line.parse_options("export", OPTIONS, arguments)
    with output.shown():
        run = load(find_run(options.run, options.log_dir, None, option="RUN"))
        folder = run.export(options.folder, options.format, options.quantize)
    output.print_json({"folder": str(folder), "format": options.format})


if __name__ == "__main__":
    sys.exit(command_line.exit_code(main, sys.argv[1:]))
