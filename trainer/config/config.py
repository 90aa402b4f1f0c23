"""Every knob of a run, once. Imports nothing heavy, so that `--help` answers at once."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal

import platformdirs

from trainer.config import bounds
from trainer.config.transfer import check_transfer

NO_EXTRACTOR = "none"
"""What `--extractor` says where the head is given the images themselves."""


STOPPING = ("epochs", "stop_at", "patience", "max_minutes")
"""The options that say how long training lasts."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Train a task and test it: metrics, checkpoints and TensorBoard events in a run folder."""

    # What is learnt, and from what.

    task: str = "flowers"
    """A task's name (flowers, horses, dogs, fashion, digits, folder …), tfds:NAME for any image
    classification of TFDS, or your own as module:Class."""

    trainer: str = "trainer:Trainer"
    """The trainer: your own subclass of trainer.Trainer as module:Class."""

    data: str = "auto"
    """auto (TFDS where it is prepared, else the sample), tfds (downloads it), sample, or a folder:
    PATH/<class>/*, cut 70/15/15 by content, or PATH/{train,valid,test}/<class>/*."""

    data_dir: Path | None = None
    """Where TFDS keeps its datasets; its own default when not given."""

    cache_dir: Path | None = None
    """Where features are kept; the platform's user cache when not given."""

    sample_examples: int | None = None
    """Take so many of the sample's pictures, all splits together; all when not given."""

    feature_memory: float = 2.0
    """Gigabytes that features may take in memory; larger ones are read from the disk as training
    goes on."""

    skip_bad_images: bool = False
    """Leave out images that cannot be read, and name them in the result; without it the run stops
    and names the first."""

    # How much learns.

    transfer: Literal["frozen", "early", "finetune", "scratch"] | None = None
    """What becomes of the extractor: kept as it is, cut at an inner activation, learning with the
    head, or learning from random weights. Not given: early for NAME@ENDPOINT, scratch for
    --extractor none, else frozen."""

    extractor: str = "efficientnet_lite0"
    """The network below the head: a name we know, keras:NAME of keras.applications, a hub URL or a
    local folder, each with @ENDPOINT to cut it there; none gives the head the images themselves."""

    weights: str = "imagenet"
    """Those of a keras:NAME extractor: imagenet (from Keras' cache, else downloaded), none
    (random), or a file."""

    pool: Literal["avg", "max", "flatten"] = "avg"
    """How an endpoint's map of features becomes a vector."""

    head: Literal["flatten", "avg"] | None = None
    """Give the head maps of features, which it flattens or averages before its own layers; vectors
    when not given."""

    unfreeze_from: str | None = None
    """Fine-tuning: the first layer of a keras:NAME extractor that learns; all when not given."""

    warmup_epochs: int = 0
    """Fine-tuning: epochs before it in which the head alone learns, on kept features."""

    finetune_learning_rate: float = 1e-5
    """The step size while an extractor learns."""

    init_from: Path | None = None
    """The folder of an earlier run, whose weights the matching layers begin with."""

    image_size: int | None = None
    """Side of the square images in pixels; what the extractor was made for when not given."""

    # Augmentation: a preset, and each part by number.

    augment: Literal["none", "light", "standard", "strong"] = "none"
    """How much training images are varied, each anew in every epoch: turned by at most 10 degrees
    (light), 20 (standard) or 40 (strong), and all else as much."""

    augment_copies: int = 0
    """Over a frozen extractor: keep the features of so many varied copies of each image instead of
    passing new ones through it in every epoch."""

    rotation: float | None = None
    """At most so many degrees either way; the preset's when not given, as all below."""

    width_shift: float | None = None
    """At most this share of the width either way."""

    height_shift: float | None = None
    """At most this share of the height either way."""

    shear: float | None = None
    """At most so many degrees either way."""

    zoom: float | None = None
    """At most this share in or out."""

    flip: Literal["none", "horizontal", "vertical", "both"] | None = None
    """Which ways half of the images are mirrored."""

    brightness: float | None = None
    """At most this share brighter or darker."""

    contrast: float | None = None
    """At most this share more or less contrast."""

    fill: Literal["nearest", "reflect", "constant"] | None = None
    """What shows where an image was moved away: its edge, its mirror image, or black."""

    mixup: float = 0.0
    """MixUp's alpha (arXiv 1710.09412): 0.2 is usual, 0 is none."""

    cutmix: float = 0.0
    """CutMix's alpha (arXiv 1905.04899): 1 is usual, 0 is none."""

    # Optimization.

    epochs: int = 10
    """How long training lasts: an epoch takes every example once, unless --steps-per-epoch says
    otherwise."""

    steps_per_epoch: int | None = None
    """Steps from one validation to the next; as many as a pass over the data when not given."""

    validation_steps: int | None = None
    """The first so many batches of the validation split are all that a validation takes."""

    batch_size: int = 32
    """Examples a step."""

    optimizer: str = "adam"
    """adam, adamw, sgd, rmsprop, adagrad, adadelta, adamax, nadam, lion, or any other name in
    keras.optimizers."""

    learning_rate: float = 1e-3
    """The optimizer's step size, where a schedule begins."""

    momentum: float | None = None
    """Of sgd, rmsprop and muon; the optimizer's own when not given."""

    weight_decay: float | None = None
    """Decoupled from the gradient (arXiv 1711.05101); the optimizer's own when not given."""

    schedule: Literal["constant", "cosine", "exponential", "piecewise"] = "constant"
    """How the step size goes on after the warm-up: constant; cosine to 0; exponential, times 0.94
    an epoch; piecewise, to a tenth at half and again at three quarters of the way."""

    warmup: str = "0"
    """How long the step size rises from 0 first: 5% (of all steps), 2epochs, 300steps,
    1000examples."""

    accumulate: int = 1
    """Steps whose gradients are averaged before the weights change."""

    clip_norm: float | None = None
    """The largest norm that all gradients together may have; they are scaled down to it."""

    ema: float | None = None
    """Evaluate, and keep as the best, an average of the weights over the steps; each step leaves
    this share of it, 0.999 say."""

    label_smoothing: float = 0.0
    """The share of each training label that is spread over all classes: 0.1 is usual."""

    class_weights: Literal["none", "balanced"] = "none"
    """balanced: in training an example weighs the more, the rarer its class is."""

    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    """What the model computes in; weights, logits and losses are float32 always."""

    # Stopping.

    stop_at: tuple[str, ...] = ()
    """Stop at the end of the epoch in which all of these hold: "accuracy>=0.9", "loss<0.4",
    "validation/accuracy>=0.9"; quoted, for a shell reads > and < itself."""

    patience: int | None = None
    """Stop after so many epochs without a better validation; the final weights are the best."""

    max_minutes: float | None = None
    """Stop training after so many minutes, in the midst of an epoch too."""

    checkpoint_every: str = "auto"
    """How often the state of training is kept, for --resume: 200steps, 2epochs, 10%; auto spends
    less than a fiftieth of the time on it. The best is looked for at every validation."""

    # The run itself.

    resume: Path | None = None
    """The folder of a run to go on with, or last: it ends as if it had never been interrupted. Its
    options are the run's own; others may be given for how long it lasts and where things are."""

    seed: int = 0
    """Initial weights, data order and dropout all follow from it."""

    jit: Literal["auto", "on", "off"] = "auto"
    """Whether XLA compiles the training steps: auto where that is faster, over features and on a
    GPU; a step that it cannot compile then runs uncompiled."""

    log_dir: Path = Path("logs")
    """Where runs go: LOG_DIR/<task>/<run>."""

    log_every: int = 10
    """Steps between two points of the training curves in TensorBoard."""

    summary: bool = False
    """Print the layers of the model, their shapes and how many weights learn, before training."""

    dry_run: bool = False
    """Build everything, run one step and a batch of each evaluation, and leave no run behind."""

    def __post_init__(self) -> None:
        """Refuse values that no run can have.

        Raises:
            UserError: naming the option.
        """
        for option in ("epochs", "batch_size", "log_every", "image_size", "sample_examples"):
            bounds.require_between(1, 2**31 - 1, option, getattr(self, option))
        bounds.require_between(0, bounds.MOST, "feature_memory", self.feature_memory)
        bounds.require_between(0, 2**31 - 1, "seed", self.seed)
        bounds.require_one_of(("auto", "on", "off"), "jit", self.jit)
        bounds.check_augmentation(self)
        bounds.check_optimization(self)
        bounds.check_stopping(self)
        check_transfer(self)

    @property
    def transfer_mode(self) -> str:
        """`transfer`, or what the extractor implies: frozen, early, finetune or scratch."""
        if self.transfer is not None:
            return self.transfer
        if not self.uses_extractor:
            return "scratch"
        return "early" if "@" in self.extractor else "frozen"

    @property
    def uses_extractor(self) -> bool:
        """Whether a network stands below the head."""
        return self.extractor != NO_EXTRACTOR

    @property
    def extractor_trainable(self) -> bool:
        """Whether the extractor's weights change in training."""
        return self.uses_extractor and self.transfer_mode in ("finetune", "scratch")

    @property
    def cache_folder(self) -> Path:
        """`cache_dir`, or the platform's own place for what a program can make again."""
        return self.cache_dir or Path(platformdirs.user_cache_dir("trainer"))

    @property
    def stopping(self) -> dict[str, Any]:
        """What says how long training lasts, as JSON takes it."""
        knobs = self.as_json()
        return {name: knobs[name] for name in STOPPING}

    def as_json(self) -> dict[str, Any]:
        """Every knob as JSON takes it: paths as text. To be resumed is none."""
        fields = dataclasses.asdict(self)
        del fields["resume"]
        return {name: _as_json(value) for name, value in fields.items()}


def _as_json(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value
