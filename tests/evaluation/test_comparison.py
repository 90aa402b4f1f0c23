import numpy as np
import pytest
from scipy.stats import binomtest

from trainer.evaluation.comparison import McNemar, mcnemar


@pytest.mark.parametrize(("first", "second"), [(3, 12), (12, 3), (0, 1), (40, 61), (900, 1000)])
def test_the_p_value_is_that_of_the_exact_binomial_test(first, second):
    expected = binomtest(first, first + second, 0.5).pvalue
    assert McNemar(first, second).p_value == pytest.approx(expected, rel=1e-6)


def test_two_that_are_right_on_the_same_examples_do_not_differ():
    right = np.array([True, False, True])
    assert mcnemar(right, right).p_value == 1


def test_examples_that_both_have_right_or_wrong_do_not_count():
    first = np.array([True, True, False, False, True])
    second = np.array([True, False, True, False, False])
    assert mcnemar(first, second) == McNemar(only_first_right=2, only_second_right=1)
