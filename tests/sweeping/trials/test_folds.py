"""Cross-validation: how the pool is cut, and the batches of its parts."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from trainer.core.errors import UserError
from trainer.data.readers.table import table_source
from trainer.loop.array_batches import ArrayBatches
from trainer.sweeping.trials.folds import FoldBatches, fold_rows, pool_groups, pooled

LABELS = np.array([0] * 30 + [1] * 20 + [2] * 10, np.int32)


def arrays(examples=23, first=0, weights=None):
    numbers = np.arange(first, first + examples, dtype=np.float32)
    return ArrayBatches(numbers[:, None], numbers.astype(np.int32), 4, seed=7, weights=weights)


def all_batches(batches, epoch):
    iterator = batches.make_iterator(epoch)
    taken = [batches.get_next(iterator, tf.constant(step)) for step in range(batches.steps)]
    return [tf.nest.map_structure(lambda tensor: tensor.numpy(), batch) for batch, _ in taken]


def test_each_example_is_in_validation_once():
    validation = np.concatenate([rows for _, rows in fold_rows(LABELS, None, 5, seed=0)])
    assert sorted(validation) == list(range(60))


def test_every_fold_has_the_shares_of_the_classes():
    for _, rows in fold_rows(LABELS, None, 5, seed=0):
        assert np.bincount(LABELS[rows]).tolist() == [6, 4, 2]


def test_no_group_is_torn():
    groups = np.array([f"garden {n // 4}" for n in range(60)])
    for train, validation in fold_rows(LABELS, groups, 3, seed=0):
        assert not set(groups[train]) & set(groups[validation])


def test_examples_of_no_group_are_cut_one_by_one():
    groups = np.array([""] * 59 + ["garden"])
    assert len(fold_rows(LABELS, groups, 5, seed=0)) == 5


def test_numbers_are_cut_without_classes():
    folds = fold_rows(np.linspace(0, 1, 60, dtype=np.float32)[:, None], None, 4, seed=0)
    assert [len(rows) for _, rows in folds] == [15] * 4


def test_more_folds_than_a_class_has_examples_are_refused():
    with pytest.raises(UserError, match="--folds 11: there are only 10 of the rarest class"):
        fold_rows(LABELS, None, 11, seed=0)


@pytest.mark.parametrize("epoch", [None, 0, 3])
def test_the_batches_of_a_fold_are_those_of_its_rows_alone(epoch):
    rows = np.array([3, 4, 8, 9, 10, 15, 16, 20, 22])
    weights = np.linspace(0.1, 1, 23).astype(np.float32)
    pool = arrays(weights=weights)
    alone = ArrayBatches(
        rows.astype(np.float32)[:, None], rows.astype(np.int32), 4, seed=7, weights=weights[rows]
    )
    pairs = zip(all_batches(FoldBatches(pool, rows), epoch), all_batches(alone, epoch), strict=True)
    for of_fold, of_rows in pairs:
        tf.nest.map_structure(np.testing.assert_array_equal, of_fold, of_rows)


def test_the_pool_is_train_and_validation():
    weighted = arrays(5, first=23, weights=np.full(5, 0.5, np.float32))
    pool = pooled({"train": arrays(), "validation": weighted, "test": arrays(3)})
    assert pool.labels.tolist() == list(range(28))
    assert pool.weights.tolist() == [1.0] * 23 + [0.5] * 5


def test_the_groups_of_the_pool_are_those_of_a_table(noise_folder, tmp_path):
    paths = sorted((noise_folder / "train").rglob("*.png"))
    lines = [f"{path},{path.parent.name},{path.stem[0]}" for path in paths]
    (tmp_path / "labels.csv").write_text("\n".join(["path,label,group", *lines]))
    source = table_source(tmp_path / "labels.csv", "class")
    pool = [source.splits[split] for split in ("train", "validation")]
    described = [Path(split.describe(n)).stem[0] for split in pool for n in range(split.examples)]
    assert pool_groups(source).tolist() == described
