"""Values of --extractor: a network, and where it is cut."""

import pytest

from trainer.extractors.names import ExtractorName, parse_extractor


@pytest.mark.parametrize(
    ("text", "network", "endpoint"),
    [
        ("efficientnet_lite0", "efficientnet_lite0", None),
        ("efficientnet_lite0@block_5", "efficientnet_lite0", "block_5"),
        ("keras:InceptionV3@mixed7", "keras:InceptionV3", "mixed7"),
        ("https://example.invalid/a/1@top", "https://example.invalid/a/1", "top"),
        ("efficientnet_lite0@", "efficientnet_lite0", ""),
    ],
)
def test_the_endpoint_follows_the_last_at_sign(text, network, endpoint):
    assert parse_extractor(text) == ExtractorName(network, endpoint)


def test_a_folder_may_have_an_at_sign_in_its_name(tmp_path):
    folder = tmp_path / "a@b"
    folder.mkdir()
    assert parse_extractor(str(folder)) == ExtractorName(str(folder))


def test_a_folder_with_an_at_sign_can_be_cut_too(tmp_path):
    folder = tmp_path / "a@b"
    folder.mkdir()
    assert parse_extractor(f"{folder}@top") == ExtractorName(str(folder), "top")


@pytest.mark.parametrize("text", ["efficientnet_lite0", "keras:InceptionV3@mixed7"])
def test_a_name_is_written_as_it_was_typed(text):
    assert str(parse_extractor(text)) == text


def test_a_keras_model_is_recognised_by_its_prefix():
    assert parse_extractor("keras:InceptionV3@mixed7").keras_model == "InceptionV3"
