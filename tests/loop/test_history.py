from trainer.loop.history import EpochRecord, best_record


def record(epoch: int, **validation: float) -> EpochRecord:
    return EpochRecord(epoch, 10 * epoch, 0.1, {"train": {"loss": 1.0}, "validation": validation})


def test_the_best_epoch_has_the_highest_validation_accuracy():
    history = [record(1, accuracy=0.8, loss=0.1), record(2, accuracy=0.9, loss=0.9)]
    assert best_record(history).epoch == 2


def test_of_equal_accuracies_the_lower_loss_is_best():
    history = [record(1, accuracy=0.9, loss=0.3), record(2, accuracy=0.9, loss=0.2)]
    assert best_record(history).epoch == 2


def test_of_equals_the_first_is_best():
    history = [record(1, accuracy=0.9, loss=0.3), record(2, accuracy=0.9, loss=0.3)]
    assert best_record(history).epoch == 1


def test_without_an_accuracy_the_lowest_loss_is_best():
    assert best_record([record(1, loss=0.3), record(2, loss=0.2), record(3, loss=0.4)]).epoch == 2


def test_a_task_says_what_the_best_epoch_has():
    history = [record(1, loss=0.3, f1=0.5, error=0.1), record(2, loss=0.4, f1=0.6, error=0.2)]
    assert best_record(history, "max f1").epoch == 2
    assert best_record(history, "min error").epoch == 1


def test_an_epoch_whose_metric_is_not_a_number_is_never_the_best():
    history = [record(1, loss=0.1, r2=float("nan")), record(2, loss=0.9, r2=-3.0)]
    assert best_record(history, "max r2").epoch == 2


def test_a_row_names_its_columns_by_split_and_metric():
    assert record(1, loss=0.3).as_row() == {
        "epoch": 1,
        "step": 10,
        "learning_rate": 0.1,
        "train_loss": 1.0,
        "validation_loss": 0.3,
    }
