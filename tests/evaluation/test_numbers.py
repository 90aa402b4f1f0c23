import numpy as np
from sklearn import metrics

from trainer.evaluation.numbers import number_measures


def test_the_measures_are_those_of_scikit_learn(make_output):
    output = make_output("numbers")
    ours = number_measures(output)
    options = {"sample_weight": output.weights, "multioutput": "raw_values"}
    pairs = output.labels, output.scores
    np.testing.assert_allclose(ours.r2, metrics.r2_score(*pairs, **options), rtol=1e-5)
    np.testing.assert_allclose(
        ours.mean_absolute_error, metrics.mean_absolute_error(*pairs, **options), atol=1e-6
    )
    np.testing.assert_allclose(
        ours.root_mean_squared_error, metrics.root_mean_squared_error(*pairs, **options), rtol=1e-6
    )


def test_the_bias_is_what_is_predicted_too_much(make_output):
    output = make_output("numbers")
    higher = number_measures(output.with_scores(output.scores + 2))
    np.testing.assert_allclose(higher.bias - number_measures(output).bias, 2, atol=1e-5)
