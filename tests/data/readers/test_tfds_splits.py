"""Which splits of a TFDS dataset are for training, validation and test."""

import pytest

from trainer.data.readers.tfds import split_expressions

THIRDS = {"train": "{0}[0%:70%]", "validation": "{0}[70%:85%]", "test": "{0}[85%:100%]"}
BOTH = ("validation", "test")


def thirds(name):
    return {split: expression.format(name) for split, expression in THIRDS.items()}


@pytest.mark.parametrize(
    ("sizes", "splits", "cut"),
    [
        pytest.param(
            {"train": 80, "validation": 10, "test": 10},
            {"train": "train", "validation": "validation", "test": "test"},
            (),
            id="all-three",
        ),
        pytest.param({"train": 100}, thirds("train"), BOTH, id="train-alone"),
        pytest.param({"test": 100}, thirds("test"), BOTH, id="test-alone"),
        pytest.param({"full": 100, "mini": 10}, thirds("full"), BOTH, id="the-largest"),
        pytest.param(
            {"train": 60, "test": 10},
            {"train": "train[0%:85%]", "validation": "train[85%:100%]", "test": "test"},
            ("validation",),
            id="no-validation",
        ),
        pytest.param(
            {"train": 60, "validation": 10},
            {"train": "train[0%:85%]", "validation": "validation", "test": "train[85%:100%]"},
            ("test",),
            id="no-test",
        ),
        pytest.param(
            {"train": 60, "extra": 500, "val": 10, "test": 10},
            {"train": "train", "validation": "val", "test": "test"},
            (),
            id="more-than-three",
        ),
        pytest.param(
            {"trainA": 30, "trainB": 40, "testA": 5, "testB": 6},
            {
                "train": "trainA[0%:85%]+trainB[0%:85%]",
                "validation": "trainA[85%:100%]+trainB[85%:100%]",
                "test": "testA+testB",
            },
            ("validation",),
            id="in-pieces",
        ),
        pytest.param(
            {"test": 50, "validation": 40},
            {"train": "test[0%:85%]", "validation": "validation", "test": "test[85%:100%]"},
            ("test",),
            id="nothing-to-train",
        ),
        pytest.param(
            {"full": 50, "test": 10},
            {"train": "full[0%:85%]", "validation": "full[85%:100%]", "test": "test"},
            ("validation",),
            id="train-by-another-name",
        ),
    ],
)
def test_own_splits_are_taken_and_missing_ones_are_cut(sizes, splits, cut):
    assert split_expressions(sizes) == (splits, cut)
