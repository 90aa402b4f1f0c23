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
    "--unfreeze-from is for --transfer finetune; add that option": {"unfreeze_from": "a"},
    "--batch-norm is for --transfer finetune; add that option": {"batch_norm": "learn"},
    "--layer-decay is for --transfer finetune; add that option": {"layer_decay": 0.5},
    "--unfreeze-gradually is for --transfer finetune": {"unfreeze_gradually": True},
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


@pytest.mark.parametrize(
    "options",
    [{"extractor": "none"}, {"transfer": "finetune", "unfreeze_from": "all"}],
    ids=str,
)
def test_augmented_copies_need_something_frozen(options):
    with pytest.raises(UserError, match=r"^--augment-copies needs a frozen extractor"):
        Config(augment_copies=2, **options)


FINETUNED = {
    "the upper blocks of the embedded extractor": ({}, "block_12"),
    "another part": ({"unfreeze_from": "block_5"}, "block_5"),
    "everything": ({"unfreeze_from": "all"}, None),
    "everything of other extractors": ({"extractor": "keras:VGG16"}, None),
}


@pytest.mark.parametrize("what", FINETUNED)
def test_what_is_fine_tuned_when_nothing_is_said(what):
    options, first = FINETUNED[what]
    assert TransferOptions(transfer="finetune", **options).trained_from == first


@pytest.mark.parametrize(
    ("options", "epochs"),
    [({}, 0), ({"transfer": "finetune"}, 10), ({"transfer": "finetune", "warmup_epochs": 0}, 0)],
    ids=str,
)
def test_a_head_learns_alone_before_fine_tuning(options, epochs):
    assert TransferOptions(**options).head_epochs == epochs


@pytest.mark.parametrize(
    ("options", "learns"),
    [
        ({"transfer": "finetune"}, False),
        ({"transfer": "finetune", "batch_norm": "learn"}, True),
        ({"transfer": "scratch"}, True),
        ({}, False),
    ],
    ids=str,
)
def test_batch_norms_learn_from_scratch_or_where_they_are_asked_to(options, learns):
    assert TransferOptions(**options).learns_batch_norms is learns
