"""MODEL.md: what an exported model is, in the shape of a Hugging Face model card."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jinja2

from trainer.config.export import ModelFormat, Quantization
from trainer.config.transfer import Resize
from trainer.exporting.served import ServedModel
from trainer.extractors.names import KERAS, KNOWN_MODULES, parse_extractor
from trainer.setup.command import run_command

QUANTIZED = Mapping[str, Mapping[str, str]]
"""The metrics of validation by model, "float32" and "quantized", and by name."""

EFFICIENTNET_LITE = ("efficientnet_lite0", "efficientnet_lite2")

_SQUARED: Mapping[Resize, str] = {
    "squash": "resized to this square, the sides not kept in proportion",
    "crop": "cut to their central square, resized to this one",
    "pad": "resized in proportion until the longer side fits, in the middle of a black square (0)",
}
"""How an image becomes a square, by `--resize`."""

_PAGES: Mapping[ModelFormat, str] = {
    "savedmodel": "saved_model.md.j2",
    "litert": "litert.md.j2",
    "onnx": "onnx.md.j2",
    "keras": "keras.md.j2",
}


def model_card(
    served: ServedModel,
    folder: Path,
    model_format: ModelFormat,
    quantize: Quantization | None,
    validation: QUANTIZED,
) -> str:
    """The text of the page.

    Args:
        served: The model.
        folder: Where it is exported to.
        model_format: In which format.
        quantize: How it is quantized.
        validation: What it loses by that.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("trainer.exporting", "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"json": _json, "cell": _cell, "code": _code}
    return environment.get_template("MODEL.md.j2").render(
        run=served.run,
        result=served.run.result,
        served=served,
        squared=_SQUARED[served.resize],
        counted="shorter" if served.resize == "crop" else "longer",
        usage=_PAGES[model_format],
        format=model_format,
        quantize=quantize,
        validation=validation,
        pipeline_tag=_pipeline_tag(served),
        metrics=_reported_metrics(served.run.result["metrics"]),
        outputs=served.names_by_output,
        temperatures={name or "scores": t for name, t in served.temperatures.items()},
        inputs={name: _spec(spec) for name, spec in served.input_specs.items()},
        features=_has_features(served),
        extractor_licence=extractor_licence(served.run.config.extractor),
        data_licence=data_licence(served.run.result["data"]),
        run_command=run_command(served.run.config, served.run.task.defaults),
        export_command=_export_command(served, folder, model_format, quantize),
    )


def extractor_licence(extractor: str) -> str:
    """What is known of the licence of a network's weights."""
    network = parse_extractor(extractor).network
    if network in EFFICIENTNET_LITE:
        return "Apache-2.0, of the EfficientNet-Lite project's weights"
    if network in KNOWN_MODULES:
        return "Apache-2.0, as its page on tfhub.dev says"
    if network.startswith(KERAS):
        return "that of the weights of keras.applications: see https://keras.io/api/applications"
    return "not known: see where it comes from"


def data_licence(data: Mapping[str, Any]) -> str:
    """What is known of the licence of what a run was trained on."""
    if data["source"] == "sample":
        return "Apache-2.0: pictures that this project draws"
    if data["source"] == "tfds":
        page = f"https://www.tensorflow.org/datasets/catalog/{data['name']}"
        return f"not known here: see {page}"
    return "not known: the data are your own"


def _pipeline_tag(served: ServedModel) -> str | None:
    """The kind of model by the names of Hugging Face; None where they have none for it."""
    is_of_classes = served.run.task.label_kind in ("class", "labels")
    return "image-classification" if served.takes_images and is_of_classes else None


def _reported_metrics(metrics: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """By name and split, without those of single classes."""
    names = [name for name in metrics["test"] if "/" not in name]
    return {
        name: {split: of_split[name] for split, of_split in metrics.items() if name in of_split}
        for name in names
    }


def _has_features(served: ServedModel) -> bool:
    return served.run.config.uses_extractor


def _spec(spec: Any) -> str:
    return f"{spec.dtype.name} [{', '.join(['batch', *map(str, spec.shape[1:])])}]"


def _export_command(
    served: ServedModel, folder: Path, model_format: str, quantize: str | None
) -> str:
    options = [] if model_format == "savedmodel" else ["--format", model_format]
    options += ["--quantize", quantize] if quantize else []
    arguments = [str(served.run.folder), str(folder), *options]
    return f"python -m trainer.export {shlex.join(arguments)}"


def _json(value: object) -> str:
    """A value as YAML, of which JSON is a part."""
    return json.dumps(value, ensure_ascii=False)


def _cell(text: str) -> str:
    """Text in a cell of a table of Markdown, as it is."""
    return "".join(_escaped(text))


def _escaped(text: str) -> Iterator[str]:
    for character in text.replace("\r", " ").replace("\n", " "):
        yield f"\\{character}" if character in "\\`*_{}[]<>()#+!|~&" else character


def _code(text: str) -> str:
    """Text as code of Markdown, whatever it has of backticks."""
    fence = "`"
    while fence in text:
        fence += "`"
    return f"{fence} {text} {fence}" if "`" in text else f"`{text}`"
