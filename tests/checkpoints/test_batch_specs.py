import json

import pytest
import tensorflow as tf

from trainer.checkpoints.batch_specs import spec_as_json, spec_from_json

IMAGES = tf.TensorSpec([4, 8, 8, 3], tf.float32)
CLASSES = tf.TensorSpec([4], tf.int32)
NUMBERS = tf.TensorSpec([4, 2], tf.float16)


@pytest.mark.parametrize(
    "spec",
    [
        [IMAGES, CLASSES, tf.TensorSpec([4], tf.float32)],
        [IMAGES, {"kind": CLASSES, "size": NUMBERS}],
        [{"ids": CLASSES, "others": [NUMBERS, IMAGES]}],
        [tf.TensorSpec([], tf.string)],
    ],
)
def test_a_spec_comes_back_from_json(spec):
    assert spec_from_json(json.loads(json.dumps(spec_as_json(spec)))) == spec
