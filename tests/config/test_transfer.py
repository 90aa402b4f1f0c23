"""Options of transfer learning and of augmentation: what they imply, and what they need."""

import pytest

from trainer import Config, UserError
from trainer.config.augmentation import AugmentationOptions
from trainer.config.transfer import TransferOptions


@pytest.mark.parametrize(
    ("options", "mode"),
    [
        ({}, "frozen"),
        ({"extractor": "efficientnet_lite0@block_2"}, "early"),
        ({"extractor": "none"}, "scratch"),
        ({"transfer": "finetune"}, "finetune"),
        ({"extractor": "keras:VGG16", "transfer": "scratch"}, "scratch"),
    ],
    ids=str,
)
def test_the_mode_of_transfer_follows_from_the_extractor_when_not_given(options, mode):
    assert TransferOptions(**options).transfer_mode == mode


@pytest.mark.parametrize(("extractor", "used"), [("none", False), ("keras:VGG16", True)])
def test_an_extractor_is_used_unless_it_is_none(extractor, used):
    assert TransferOptions(extractor=extractor).uses_extractor is used


@pytest.mark.parametrize(
    ("options", "trainable"),
    [
        ({}, False),
        ({"extractor": "efficientnet_lite0@block_2"}, False),
        ({"transfer": "finetune"}, True),
        ({"transfer": "scratch"}, True),
        ({"extractor": "none"}, False),
    ],
    ids=str,
)
def test_the_extractor_is_trained_in_fine_tuning_and_from_scratch(options, trainable):
    assert TransferOptions(**options).extractor_trainable is trainable


MESSAGES = {
    "--transfer finetune needs an --extractor": {"extractor": "none", "transfer": "finetune"},
    "--transfer frozen needs an --extractor": {"extractor": "none", "transfer": "frozen"},
    "--warmup-epochs is the first stage of --transfer finetune": {"warmup_epochs": 1},
    "--unfreeze-from Conv_1 needs --transfer finetune": {
        "extractor": "keras:MobileNetV2",
        "unfreeze_from": "Conv_1",
    },
    "--unfreeze-from a needs --transfer finetune and a keras:NAME extractor": {
        "transfer": "finetune",
        "unfreeze_from": "a",
    },
    "--weights none needs a keras:NAME extractor": {"weights": "none"},
    "--head avg needs the feature maps of an --extractor": {"extractor": "none", "head": "avg"},
}


@pytest.mark.parametrize("message", MESSAGES)
def test_an_option_without_what_it_needs_is_refused(message):
    with pytest.raises(UserError, match=f"^{message}"):
        TransferOptions(**MESSAGES[message])


def test_scratch_without_an_extractor_is_a_network_of_the_users_own():
    assert TransferOptions(extractor="none", transfer="scratch").transfer_mode == "scratch"


@pytest.mark.parametrize("mixing", ["mixup", "cutmix"])
def test_features_of_mixed_images_cannot_be_cached(mixing):
    with pytest.raises(UserError, match=rf"^--augment-copies .* --{mixing} mixes .*; omit one$"):
        AugmentationOptions(augment_copies=2, **{mixing: 0.2})


@pytest.mark.parametrize("options", [{"extractor": "none"}, {"transfer": "finetune"}], ids=str)
def test_augmented_copies_need_a_frozen_extractor(options):
    with pytest.raises(UserError, match=r"^--augment-copies needs a frozen extractor"):
        Config(augment_copies=2, **options)
