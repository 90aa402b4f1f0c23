"""Files of torch.save are read without torch, and without running what they name."""

import collections
import io
import pickle
import struct
import sys
import types

import numpy as np
import pytest

from trainer.extractors.efficientnet_lite.torch_file import NotATorchFileError, read_state_dict

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C


class Storage:
    """A pickle's persistent object: the elements of a tensor, which come later."""

    def __init__(self, kind, key, array):
        self.kind, self.key, self.array = kind, key, array


class Tensor:
    """Pickled as torch pickles a tensor."""

    def __init__(self, storage, offset, shape, strides):
        self.arguments = (storage, offset, shape, strides, False, collections.OrderedDict())

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


class Pickler(pickle.Pickler):
    def persistent_id(self, obj):
        if isinstance(obj, Storage):
            return ("storage", obj.kind, obj.key, "cpu", obj.array.size, None)
        return None


@pytest.fixture
def torch_file(tmp_path, monkeypatch):
    """Writes an object and its storages in the format of torch.save before 1.6."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    def _rebuild_tensor_v2(*arguments):
        raise AssertionError("it is pickled, never called")

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2

    def write(content, storages, magic=MAGIC_NUMBER):
        file = io.BytesIO()
        for item in (magic, 1001, {"little_endian": True}):
            pickle.dump(item, file, protocol=2)
        Pickler(file, protocol=2).dump(content)
        pickle.dump([storage.key for storage in storages], file, protocol=2)
        for storage in storages:
            file.write(struct.pack("<q", storage.array.size) + storage.array.tobytes())
        path = tmp_path / "weights.pth"
        path.write_bytes(file.getvalue())
        return path

    return write


def storage(values, key="1"):
    kind = sys.modules["torch"].FloatStorage
    return Storage(kind, key, np.array(values, "float32"))


def test_tensors_are_arrays_by_name(torch_file):
    one = storage([1, 2, 3, 4, 5, 6])
    path = torch_file(collections.OrderedDict(a=Tensor(one, 0, (2, 3), (3, 1))), [one])
    np.testing.assert_array_equal(read_state_dict(path)["a"], [[1, 2, 3], [4, 5, 6]])


def test_a_transposed_tensor_is_read_by_its_strides(torch_file):
    one = storage([1, 2, 3, 4, 5, 6])
    path = torch_file({"a": Tensor(one, 0, (3, 2), (1, 3))}, [one])
    np.testing.assert_array_equal(read_state_dict(path)["a"], [[1, 4], [2, 5], [3, 6]])


def test_tensors_may_share_a_storage(torch_file):
    one, two = storage([1, 2, 3]), storage([7], "2")
    tensors = {
        "a": Tensor(one, 1, (2,), (1,)),
        "b": Tensor(one, 0, (), ()),
        "c": Tensor(two, 0, (1,), (1,)),
    }
    read = read_state_dict(torch_file(tensors, [one, two]))
    assert [array.tolist() for array in read.values()] == [[2, 3], 1, [7]]


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [(0, (4,), (1,)), (2, (2,), (1,)), (0, (2,), (3,)), (-1, (1,), (1,)), (0, (2,), (-1,))],
)
def test_a_tensor_beyond_its_storage_is_refused(torch_file, offset, shape, strides):
    one = storage([1, 2, 3])
    with pytest.raises(NotATorchFileError, match="beyond its storage"):
        read_state_dict(torch_file({"a": Tensor(one, offset, shape, strides)}, [one]))


class RunsCode:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_a_file_that_names_a_function_does_not_run_it(torch_file, tmp_path):
    path = torch_file({"a": RunsCode(str(tmp_path / "ran"))}, [])
    with pytest.raises(NotATorchFileError, match=r"names io\.open, which is no part"):
        read_state_dict(path)
    assert not (tmp_path / "ran").exists()


def test_a_file_of_another_kind_is_refused(torch_file):
    with pytest.raises(NotATorchFileError, match="does not begin"):
        read_state_dict(torch_file({}, [], magic=7))


@pytest.mark.parametrize("kept", [0, 5, 100, -1])
def test_a_file_that_is_cut_off_is_refused(torch_file, kept):
    one = storage(range(100))
    path = torch_file({"a": Tensor(one, 0, (100,), (1,))}, [one])
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(NotATorchFileError):
        read_state_dict(path)
