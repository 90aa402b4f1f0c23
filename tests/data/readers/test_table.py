"""Labels in a table: what rows become, how they are divided, and which are refused."""

import numpy as np
import pyarrow
import pytest
import tensorflow as tf
from pyarrow import parquet

from trainer import UserError
from trainer.data.readers.table import table_source


@pytest.fixture
def table(tmp_path, picture):
    """Writes labels.csv beside pictures 0.png … 29.png."""
    for number in range(30):
        picture(number).save(tmp_path / f"{number}.png")

    def write(text, name="labels.csv"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def rows(header, lines):
    return "\n".join([header, *lines]) + "\n"


def labels(source):
    """The label of every picture by its file's name, of all splits."""
    return {
        split.describe(n).rpartition("/")[2]: label.tolist()
        for split in source.splits.values()
        for n, label in enumerate(split.labels())
    }


TWO_OUTPUTS = {"kind": "class", "size": "numbers"}
THREE = "0.png,a,train\n1.png,b,val\n2.png,a,test\n"


# Labels.


def test_a_label_is_a_class(table):
    source = table_source(table("path,label,split\n" + THREE), "class")
    assert source.classes == ("a", "b")
    assert labels(source) == {"0.png": 0, "1.png": 1, "2.png": 0}


def test_an_image_may_have_any_number_of_labels(table):
    text = "path,label,split\n0.png,rose;bee,train\n1.png,,val\n2.png, bee | fly ,test\n"
    source = table_source(table(text), "labels")
    assert source.classes == ("bee", "fly", "rose")
    assert labels(source) == {"0.png": [1, 0, 1], "1.png": [0, 0, 0], "2.png": [1, 1, 0]}


def test_a_label_may_be_a_number(table):
    text = "path,label,split\n0.png,-0.3,train\n1.png,1e2,val\n2.png,0,test\n"
    source = table_source(table(text), "numbers")
    assert source.classes == ("label",)
    assert labels(source) == {"0.png": [np.float32(-0.3)], "1.png": [100], "2.png": [0]}


def test_several_columns_are_several_numbers(table):
    text = "path,width,height,split\n0.png,1,2,train\n1.png,3,4,val\n2.png,5,6,test\n"
    source = table_source(table(text), "numbers")
    assert source.classes == ("width", "height")
    assert labels(source)["2.png"] == [5, 6]


# Splits.


@pytest.mark.parametrize("names", [("train", "validation", "test"), ("Training", "DEV", "testing")])
def test_a_split_has_its_usual_names(table, names):
    lines = [f"{number}.png,{'ab'[number % 2]},{name}" for number, name in enumerate(names)]
    source = table_source(table(rows("path,label,split", lines)), "class")
    assert source.examples == {"train": 1, "validation": 1, "test": 1}
    assert source.cut == ()


def test_without_splits_the_rows_are_divided(table):
    lines = [f"{number}.png,{'ab'[number % 2]}" for number in range(30)]
    source = table_source(table(rows("path,label", lines)), "class")
    assert sum(source.examples.values()) == 30
    assert source.examples["train"] in range(20, 23)
    assert source.cut == ("validation", "test")


@pytest.mark.parametrize("kind", ["class", "labels", "numbers"])
def test_the_order_of_the_rows_changes_nothing(table, kind):
    lines = [f"{number}.png,{number % 2}" for number in range(30)]
    one = table_source(table(rows("path,label", lines), "one.csv"), kind)
    other = table_source(table(rows("path,label", lines[::-1]), "other.csv"), kind)
    for name, split in one.splits.items():
        assert split.fingerprint == other.splits[name].fingerprint
        np.testing.assert_array_equal(split.labels(), other.splits[name].labels())


@pytest.mark.parametrize("kind", ["class", "numbers"])
def test_a_group_is_never_torn_between_splits(table, kind):
    lines = [f"{number}.png,{number % 2},group {number // 3}" for number in range(30)]
    source = table_source(table(rows("path,label,group", lines)), kind)
    places = {}
    for name, split in source.splits.items():
        for position in range(split.examples):
            file = split.describe(position).rpartition("/")[2]
            places.setdefault(int(file.removesuffix(".png")) // 3, set()).add(name)
    assert len(places) == 10
    assert all(len(splits) == 1 for splits in places.values())


def test_other_labels_are_other_data(table):
    sources = [
        table_source(
            table(f"path,label,split\n0.png,{n},train\n1.png,2,val\n2.png,3,test\n"), "numbers"
        )
        for n in (1, 2)
    ]
    first, second = (source.splits["train"].fingerprint for source in sources)
    assert first != second


def test_each_output_has_the_column_of_its_name(table):
    text = "path,kind,size,split\n0.png,b,0.5,train\n1.png,a,2,val\n2.png,b,-1,test\n"
    source = table_source(table(text), TWO_OUTPUTS)
    assert source.classes == {"kind": ("a", "b"), "size": ("size",)}
    train = source.splits["train"]
    assert train.labels()["kind"].tolist() == [1]
    assert train.labels()["size"].tolist() == [[0.5]]
    assert train.label_spec == {
        "kind": tf.TensorSpec([], tf.int32),
        "size": tf.TensorSpec([1], tf.float32),
    }
    [(_, label)] = train.references().as_numpy_iterator()
    assert {name: value.tolist() for name, value in label.items()} == {"kind": 1, "size": [0.5]}


def test_rows_are_divided_by_the_first_output_of_classes(table):
    lines = [f"{number}.png,{number},{'ab'[number % 2]}" for number in range(30)]
    source = table_source(table(rows("path,size,kind", lines)), TWO_OUTPUTS)
    kinds = {name: split.labels()["kind"] for name, split in source.splits.items()}
    assert {name: np.bincount(found).tolist() for name, found in kinds.items()} == {
        "train": [11, 11],
        "validation": [2, 2],
        "test": [2, 2],
    }


def test_a_weight_is_that_of_its_row(table):
    text = "path,label,split,weight\n0.png,a,train,0.25\n1.png,b,train,0\n2.png,a,val,2\n"
    source = table_source(table(text + "3.png,b,test,1\n"), "class")
    assert {name: split.weights.tolist() for name, split in source.splits.items()} == {
        "train": [0.25, 0],
        "validation": [2],
        "test": [1],
    }


def test_a_part_of_a_split_has_the_weights_of_its_rows(table):
    lines = [f"{number}.png,{'ab'[number % 2]},train,{number}" for number in range(28)]
    text = rows("path,label,split,weight", [*lines, "28.png,a,val,1", "29.png,b,test,1"])
    split = table_source(table(text), "class").splits["train"].slice(3, 2)
    assert split.weights.tolist() == [3, 4]
    assert split.labels().tolist() == [1, 0]


def test_parquet_is_read_as_csv_is(table, tmp_path):
    columns = {
        "path": [f"{number}.png" for number in range(4)],
        "label": [["rose", "bee"], [], ["fly"], ["rose"]],
        "split": ["train", "val", "test", None],
        "weight": [1.0, 0.5, 2.0, 1.0],
    }
    parquet.write_table(pyarrow.table(columns), tmp_path / "labels.parquet")
    with pytest.raises(UserError, match=r"labels\.parquet, row 4: the split '' is none of train"):
        table_source(tmp_path / "labels.parquet", "labels")
    three = pyarrow.table({name: values[:3] for name, values in columns.items()})
    parquet.write_table(three, tmp_path / "labels.parquet")
    source = table_source(tmp_path / "labels.parquet", "labels")
    assert source.classes == ("bee", "fly", "rose")
    assert labels(source) == {"0.png": [1, 0, 1], "1.png": [0, 0, 0], "2.png": [0, 1, 0]}
    assert source.splits["validation"].weights.tolist() == [0.5]


# Mistakes.


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("class", "file,label\n0.png,a\n", "there is no column path, only file, label; the first"),
        ("class", "path,kind\n0.png,a\n", "there is no column label, only path, kind"),
        ("class", "path,label,kind\n0.png,a,2\n", "the column kind is unknown; remove it (there"),
        ("class", "path,label,weight\n0.png,a,x\n", "line 2: the weight 'x' is no number of 0 or"),
        ("class", "path,label,weight\n0.png,a,1e39\n", "line 2: the weight '1e39' is no number"),
        ("class", "path,label,weight\n0.png,a,-1\n", "line 2: the weight '-1' is no number of 0"),
        ("class", "path,label,weight\n0.png,a,nan\n", "line 2: the weight 'nan' is no number"),
        (TWO_OUTPUTS, "path,kind\n0.png,a\n", "there is no column size, only path, kind"),
        (TWO_OUTPUTS, "path,kind,size\n0.png,a,x\n", "line 2: 'x' is no finite number"),
        ("class", "path,label\n", "has no rows below its first line"),
        ("class", "path,label\n0.png\n", "line 2: has not as many cells as the first line"),
        ("class", "path,label\n0.png,a\n1.png,\n", "line 3: the label is empty; fix or remove"),
        ("class", "path,label\n0.png,a\nno.png,b\n", "line 3: {folder}/no.png cannot be read"),
        (
            "class",
            "path,label\n0.png,a\nlabels.csv,b\n",
            "line 3: {folder}/labels.csv is not an image",
        ),
        ("numbers", "path,label\n0.png,a\n", "line 2: 'a' is no finite number"),
        ("numbers", "path,label\n0.png,1e39\n", "line 2: '1e39' is no finite number"),
        ("labels", "path,label\n0.png,\n1.png,\n2.png,\n", "no row has a label"),
        ("class", "path,label,label\n0.png,a,b\n", "there are two columns label; remove one"),
        ("numbers", "path,label\n0.png,nan\n", "line 2: 'nan' is no finite number"),
        ("class", "path,label,split\n0.png,a,holdout\n", "line 2: the split 'holdout' is none of"),
        ("class", "path,label,split\n0.png,a,val\n", "no row has the split train, only validation"),
    ],
)
def test_a_bad_table_is_one_line_that_says_where(table, tmp_path, kind, text, message):
    path = table(text)
    with pytest.raises(UserError) as error:
        table_source(path, kind)
    assert message.format(folder=tmp_path) in str(error.value)
    assert str(error.value).startswith(f"--data {path}")
    assert "\n" not in str(error.value)


def test_of_many_bad_rows_the_first_are_named_and_all_counted(table):
    with pytest.raises(UserError, match=r"line 2: .*; line 3: .*; line 4: .*; and 2 more; fix"):
        table_source(table(rows("path,label", ["0.png,x"] * 5)), "numbers")


def test_rows_of_unreadable_images_can_be_skipped(table):
    text = rows("path,label", [f"{number}.png,{'ab'[number % 2]}" for number in range(30)])
    source = table_source(table(text + "no.png,a\n"), "class", skip_unreadable=True)
    assert sum(source.examples.values()) == 30
    assert list(source.skipped.values()) == ["cannot be read (No such file or directory)"]


def test_a_group_that_the_tables_own_splits_tear_is_refused(table):
    text = "path,label,split,group\n0.png,a,train,x\n1.png,b,val,x\n2.png,a,test,y\n"
    with pytest.raises(UserError, match=r"lines 2 and 3: the group 'x' is in train and in valid"):
        table_source(table(text), "class")


@pytest.mark.parametrize("name", ["none.csv", "none.parquet"])
def test_a_table_that_is_not_there_is_named(tmp_path, name):
    with pytest.raises(UserError, match=rf"{name}: cannot be read \(No such file"):
        table_source(tmp_path / name, "class")


def test_what_is_no_parquet_is_named(table):
    with pytest.raises(UserError, match=r"labels\.parquet: is no Parquet \(Could not open"):
        table_source(table("path,label\n", "labels.parquet"), "class")
