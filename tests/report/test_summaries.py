from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from trainer.report.summaries import Summaries


def read(folder) -> list[tuple[str, int, float]]:
    events = EventAccumulator(str(folder))
    events.Reload()
    return [
        (tag, event.step, round(float(tensor_util.make_ndarray(event.tensor_proto)), 4))
        for tag in events.Tags()["tensors"]
        for event in events.Tensors(tag)
    ]


def test_each_split_has_a_writer_of_its_own_under_the_same_tags(tmp_path):
    summaries = Summaries(tmp_path)
    summaries.write("train", 10, {"loss": 0.5})
    summaries.write("validation", 10, {"loss": 0.75})
    summaries.flush()
    assert read(tmp_path / "train") == [("loss", 10, 0.5)]
    assert read(tmp_path / "validation") == [("loss", 10, 0.75)]


def test_a_split_without_values_has_no_folder(tmp_path):
    Summaries(tmp_path).write("train", 1, {"loss": 0.5})
    assert [path.name for path in tmp_path.iterdir()] == ["train"]
