"""Which point is the best, and what the tables say of it."""

import csv
import math

from trainer.sweeping.folder import SweepFolder, Trial, TrialResult
from trainer.sweeping.results import (
    Objective,
    best_trial,
    by_point,
    points_table,
    ranked,
    write_table,
)

ACCURACY, LOSS = Objective("accuracy", True), Objective("loss", False)


def result(number, point, accuracy, loss=1.0, status="done", metric="accuracy"):
    metrics = {"loss": loss, "accuracy": accuracy}
    failed = status == "failed"
    return TrialResult(
        trial=Trial(number, point, {"learning_rate": 10.0**-point}, seed=number % 2),
        status=status,
        seconds=1,
        metrics={} if failed else metrics,
        value=None if failed else metrics[metric],
    )


def order(results, objective=ACCURACY, runs=1):
    return [point.number for point in ranked(by_point(results), objective, runs)]


def test_the_highest_accuracy_is_the_best():
    assert order([result(0, 0, 0.8), result(1, 1, 0.9)]) == [1, 0]


def test_the_lowest_loss_is_the_best_where_that_is_compared():
    results = [result(0, 0, 0, 0.3, metric="loss"), result(1, 1, 0, 0.2, metric="loss")]
    assert order(results, LOSS) == [1, 0]


def test_of_equals_the_lower_loss_is_better():
    assert order([result(0, 0, 0.9, 0.5), result(1, 1, 0.9, 0.4)]) == [1, 0]


def test_points_are_compared_by_the_means_of_their_seeds():
    results = [result(0, 0, 1.0), result(1, 0, 0.2), result(2, 1, 0.7), result(3, 1, 0.7)]
    assert order(results, runs=2) == [1, 0]


def test_a_point_of_which_a_trial_is_missing_failed_or_was_pruned_is_no_candidate():
    results = [result(0, 0, 1.0), result(2, 1, 0.7), result(3, 1, 0.7, status="failed")]
    results += [result(4, 2, 0.6), result(5, 2, 0.6, status="pruned")]
    assert order(results, runs=2) == []


def test_the_best_trial_of_a_point_is_so_by_validation():
    [point] = by_point([result(0, 0, 0.8), result(1, 0, 0.9)])
    assert best_trial(point, ACCURACY).trial.number == 1


def test_the_table_shows_mean_and_deviation():
    points = by_point([result(0, 0, 0.8), result(1, 0, 0.9)])
    [row] = points_table(points, ACCURACY).rows.values()
    assert row["validation accuracy"] == f"0.8500 ± {math.sqrt(0.005):.4f}"


def test_the_csv_has_a_row_for_each_trial_those_that_failed_too(tmp_path):
    write_table(SweepFolder(tmp_path), [result(1, 1, 0, status="failed"), result(0, 0, 0.5)])
    with SweepFolder(tmp_path).table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["trial"], row["status"], row["validation_accuracy"]) for row in rows] == [
        ("0", "done", "0.5"),
        ("1", "failed", ""),
    ]
