"""An export is checked in a process without this package, and appears only when it is right."""

import dataclasses

import numpy as np
import pytest
import yaml

from trainer import UserError
from trainer.exporting import export
from trainer.exporting.check import ExportDiffersError, check_export
from trainer.exporting.export import export_run
from trainer.exporting.model_card import model_card
from trainer.exporting.served import ServedModel


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "exported" / "model"


def card_of(folder):
    _, front, text = (folder / "MODEL.md").read_text().split("---\n", 2)
    return yaml.safe_load(front), text


def test_a_saved_model_gives_the_scores_of_the_run_elsewhere(frozen, folder, caplog):
    caplog.set_level("INFO")
    assert frozen.export(folder) == folder
    assert "read again without this package: scores differ by" in caplog.text
    assert {path.name for path in folder.iterdir()} >= {"saved_model.pb", "variables", "MODEL.md"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["convolutional", "two_outputs", "pairs", "finetuned"])
def test_so_does_that_of_any_other_task(kind, folder, request):
    request.getfixturevalue(kind).export(folder)
    assert (folder / "saved_model.pb").is_file()


@pytest.mark.parametrize("kind", ["frozen", "pairs"])
def test_an_onnx_model_gives_the_scores_of_the_run(kind, folder, request):
    request.getfixturevalue(kind).export(folder, "onnx")
    assert sorted(path.name for path in folder.iterdir()) == ["MODEL.md", "model.onnx"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["convolutional", "two_outputs", "finetuned"])
@pytest.mark.parametrize("model_format", ["onnx", "litert"])
def test_so_do_others_in_other_formats(kind, model_format, folder, request):
    request.getfixturevalue(kind).export(folder, model_format)
    assert (folder / "MODEL.md").is_file()


def test_a_litert_model_has_a_file_of_labels(frozen, folder):
    frozen.export(folder, "litert")
    assert (folder / "labels.txt").read_text() == "cyan\nmagenta\nyellow\n"


@pytest.mark.parametrize("quantize", [pytest.param("int8", marks=pytest.mark.slow), "float16"])
def test_what_validation_loses_by_quantization_is_shown(convolutional, folder, quantize, caplog):
    caplog.set_level("INFO")
    convolutional.export(folder, "litert", quantize)
    [table] = [r.msg for r in caplog.records if getattr(r.msg, "first_column", "") == "validation"]
    expected = convolutional.metrics["validation"]["accuracy"]
    assert table.rows["float32"]["accuracy"] == f"{expected:.4f}"
    assert abs(float(table.rows["quantized"]["accuracy"]) - expected) < 0.2
    assert table.rows["quantized"]["accuracy"] in card_of(folder)[1]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["convolutional", "pairs"])
def test_a_network_of_keras_is_a_keras_file(kind, folder, request):
    request.getfixturevalue(kind).export(folder, "keras")
    assert (folder / "model.keras").is_file()


def test_a_network_that_is_not_all_of_keras_is_no_keras_file(frozen, folder):
    with pytest.raises(UserError, match=r"the layer .extractor. is a trainer.*choose another"):
        frozen.export(folder, "keras")
    assert not folder.exists()


def test_the_card_has_the_metrics_classes_and_commands(frozen, folder, monkeypatch):
    monkeypatch.setattr(export, "check_export", lambda *_: 0.0)
    frozen.export(folder)
    front, text = card_of(folder)
    [result] = front["model-index"][0]["results"]
    by_type = {metric["type"]: metric["value"] for metric in result["metrics"]}
    assert by_type == frozen.metrics["test"]
    assert front["pipeline_tag"] == "image-classification"
    for expected in (
        "0. cyan\n",
        "8x8 pixels",
        "python -m trainer.export",
        "python -m trainer.run",
    ):
        assert expected in text
    assert f"{frozen.result['calibration']['temperature']:.4f}" in text


@pytest.mark.parametrize(
    ("resize", "what"),
    [("squash", "not kept in proportion"), ("crop", "central square"), ("pad", "black square")],
)
@pytest.mark.parametrize("model_format", ["savedmodel", "onnx"])
def test_the_card_says_how_images_become_squares(frozen, folder, resize, what, model_format):
    config = dataclasses.replace(frozen.config, resize=resize)
    served = ServedModel.from_run(frozen)
    served = dataclasses.replace(served, run=dataclasses.replace(served.run, config=config))
    assert what in model_card(served, folder, model_format, None, {})


def test_an_export_with_other_scores_does_not_appear(frozen, folder, monkeypatch):
    def differs(*_):
        raise ExportDiffersError("by 1")

    monkeypatch.setattr(export, "check_export", differs)
    with pytest.raises(ExportDiffersError):
        frozen.export(folder)
    assert list(folder.parent.iterdir()) == []


def test_other_scores_are_noticed(frozen, folder):
    frozen.export(folder, "onnx")
    wrong = {"scores": np.full([4, 3], 1 / 3 + 2e-5, np.float32)}
    with pytest.raises(ExportDiffersError, match="scores of the export differs from the run's by"):
        check_export(ServedModel.from_run(frozen), folder, "onnx", wrong)


def test_a_folder_with_anything_in_it_is_refused(frozen, folder):
    folder.mkdir(parents=True)
    (folder / "mine.txt").write_text("precious")
    with pytest.raises(UserError, match=r"exists and is not an empty folder; choose another"):
        frozen.export(folder)
    assert (folder / "mine.txt").read_text() == "precious"


def test_a_missing_package_is_named_with_how_to_install_it(frozen, folder, monkeypatch):
    monkeypatch.setattr(export.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"needs tf2onnx and onnxruntime; pip install 'tf-trainer"):
        export_run(frozen, folder, "onnx", None)


def test_quantization_is_for_litert(frozen, folder):
    with pytest.raises(UserError, match=r"--quantize int8 is for --format litert"):
        frozen.export(folder, "savedmodel", "int8")
