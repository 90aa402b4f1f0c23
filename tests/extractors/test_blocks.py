"""The blocks of networks, which have learning rates of their own."""

import keras

from trainer.config.transfer import TransferOptions
from trainer.extractors.blocks import trained_blocks
from trainer.extractors.cutting import cut_network
from trainer.extractors.loading import load_network


def tuned(**options):
    return TransferOptions(transfer="finetune", image_size=32, **options)


def sizes(layer):
    return [len(block) for block in trained_blocks(layer)]


def test_the_blocks_of_a_module_end_at_its_endpoints(module_in_parts):
    layer = load_network(tuned(extractor=str(module_in_parts)), trainable=True).layer
    assert sizes(layer) == [3, 3]  # each a kernel, a scale and an offset


def test_an_upper_part_has_the_blocks_above_its_endpoint(module_in_parts):
    cut = cut_network(tuned(extractor=str(module_in_parts), unfreeze_from="low"))
    assert sizes(cut.upper) == [3]


def test_the_blocks_of_a_keras_model_end_at_sums():
    options = {"weights": "none", "unfreeze_from": "block_13_expand", "batch_norm": "learn"}
    cut = cut_network(tuned(extractor="keras:MobileNetV2", **options))
    # Blocks 13 and 14, whose sum is the first; block 15; block 16 and the last convolution.
    assert sizes(cut.upper) == [18, 9, 12]


def test_a_network_of_other_layers_is_one_block():
    layer = keras.layers.Dense(3)
    layer.build([None, 2])
    assert sizes(layer) == [2]


def test_blocks_from_the_lowest_hold_every_trained_weight_once(module_in_parts):
    layer = load_network(tuned(extractor=str(module_in_parts)), trainable=True).layer
    weights = [weight for block in trained_blocks(layer) for weight in block]
    assert [id(weight) for weight in weights] == [id(v) for v in layer.trainable_variables]
