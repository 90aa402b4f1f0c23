import numpy as np
import pytest
import tensorflow as tf

from trainer.data.pipeline.order import balanced_counts, epoch_order, repeated

IMBALANCED = np.repeat([0, 1, 2], [70, 25, 5])


def test_an_order_holds_every_number_once():
    assert sorted(epoch_order(100, seed=1, epoch=2).numpy()) == list(range(100))


def test_an_order_never_changes():
    """Written down from the first release on: a run is repeated years later."""
    assert epoch_order(8, seed=1, epoch=2).numpy().tolist() == [1, 6, 2, 5, 4, 7, 3, 0]


def test_seeds_epochs_and_blocks_have_orders_of_their_own():
    of = [epoch_order(100, 0, 0), epoch_order(100, 1, 0), epoch_order(100, 0, 1)]
    orders = {tuple(order.numpy()) for order in [*of, epoch_order(100, 0, 0, block=1)]}
    assert len(orders) == 4


# Balanced epochs.


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_a_balanced_epoch_takes_every_class_equally_often(epoch):
    counts = balanced_counts(IMBALANCED, 0, epoch)
    taken = np.bincount(IMBALANCED, weights=counts)
    assert taken.sum() == len(IMBALANCED)
    assert taken.max() - taken.min() <= 1


def test_it_repeats_the_examples_of_a_rare_class_about_equally_often():
    counts = balanced_counts(IMBALANCED, 0, 0)
    rare, medium = counts[IMBALANCED == 2], counts[IMBALANCED == 1]
    assert rare.max() - rare.min() <= 1
    assert set(medium) == {1, 2}
    assert set(counts[IMBALANCED == 0]) == {0, 1}


def test_the_class_that_comes_once_more_changes_from_epoch_to_epoch():
    once_more = [
        np.argmax(np.bincount(IMBALANCED, weights=balanced_counts(IMBALANCED, 0, epoch)))
        for epoch in range(3)
    ]
    assert sorted(once_more) == [0, 1, 2]


def test_seeds_and_epochs_choose_other_examples():
    chosen = {balanced_counts(IMBALANCED, *of).tobytes() for of in [(0, 0), (1, 0), (0, 1)]}
    assert len(chosen) == 3
    np.testing.assert_array_equal(*(balanced_counts(IMBALANCED, 0, 0) for _ in range(2)))


def test_all_examples_of_a_large_class_come_in_the_long_run():
    counts = sum(balanced_counts(IMBALANCED, 0, epoch) for epoch in range(20))
    assert counts.min() > 0


def test_equal_classes_come_once_each():
    np.testing.assert_array_equal(balanced_counts(np.repeat([0, 1], 8), 0, 3), np.ones(16))


def test_numbers_of_classes_without_examples_take_no_turns():
    counts = balanced_counts(np.array([0, 0, 0, 7]), 0, 0)
    assert counts[3] == 2


def test_numbers_are_repeated_and_their_repetitions_counted():
    numbers, before = repeated(tf.constant([2, 0, 3]))
    assert numbers.numpy().tolist() == [0, 0, 2, 2, 2]
    assert before.numpy().tolist() == [0, 1, 0, 1, 2]
