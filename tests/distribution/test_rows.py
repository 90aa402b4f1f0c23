import pytest

from trainer.core.errors import UserError
from trainer.distribution.rows import Rows, all_rows, rows_of_replica


@pytest.mark.parametrize(
    ("replicas", "expected"),
    [(1, [(0, 8)]), (2, [(0, 4), (4, 8)]), (3, [(0, 3), (3, 6), (6, 8)])],
)
def test_every_row_of_a_batch_is_that_of_one_replica(replicas, expected):
    rows = [rows_of_replica(number, replicas, 8) for number in range(replicas)]
    assert [(each.first, each.last) for each in rows] == expected


def test_a_replica_takes_its_rows_of_those_that_its_process_has():
    process, replica = Rows(4, 8, 12), Rows(6, 8, 12)
    assert replica.take(["e", "f", "g", "h"], of=process) == ["g", "h"]


def test_a_process_with_one_replica_takes_what_it_has():
    rows = all_rows(3)
    assert rows.take("abc", of=rows) == "abc"


def test_a_batch_with_fewer_rows_than_replicas_is_refused():
    with pytest.raises(UserError, match="--batch-size 2: each of the 3 replicas"):
        rows_of_replica(0, 3, 2)
