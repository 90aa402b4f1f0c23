"""`--strategy`: the devices and machines of a run, as one of TensorFlow's own strategies."""

from __future__ import annotations

import functools
import json
import logging
import os
from typing import Literal

import tensorflow as tf

from trainer.core import signals
from trainer.core.errors import UserError

logger = logging.getLogger(__name__)

Name = Literal["one", "mirrored", "workers"]

SECONDS_PER_CALL = 120
"""How long a worker waits for the others in one exchange, before it takes one of them for lost."""


def strategy_name(asked: str) -> Name:
    """What auto stands for: workers in a cluster (TF_CONFIG), mirrored where there are more GPUs.

    Raises:
        UserError: TF_CONFIG cannot be read.
    """
    if asked != "auto":
        return asked  # type: ignore[return-value]
    cluster = _cluster()
    if len(cluster.get("worker", [])) + len(cluster.get("chief", [])) > 1:
        return "workers"
    return "mirrored" if len(tf.config.list_physical_devices("GPU")) > 1 else "one"


def make_strategy(asked: str, devices: int | None) -> tf.distribute.Strategy:
    """The strategy of a run; before TensorFlow has computed anything.

    Args:
        asked: auto, one, mirrored or workers.
        devices: How many of this machine's; all, when None.

    Raises:
        UserError: there are not so many devices, or no cluster.
    """
    _prepare_gpus()
    name = strategy_name(asked)
    if devices is not None and name != "mirrored":
        raise UserError(f"--devices {devices} is for --strategy mirrored; omit it")
    if name == "one":
        return tf.distribute.get_strategy()
    strategy = _mirrored(devices) if name == "mirrored" else _workers()
    # Replicas exchange tensors by collective ops, as TensorFlow has it on GPUs with XLA. Its other
    # way, which stops the graph of every replica where they meet, cannot be in a branch of a step.
    strategy.extended._use_merge_call = lambda: False
    return strategy


def _prepare_gpus() -> None:
    """Memory as it is needed, and kernels that give the same bits each time, for exact resume."""
    gpus = tf.config.list_physical_devices("GPU")
    try:
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
        if gpus:
            tf.config.experimental.enable_op_determinism()
    except RuntimeError:  # TensorFlow has begun in this process, with what it was told before
        logger.info("TensorFlow was in use before: its settings of GPUs stay as they are")


@functools.cache  # a second one would exchange under the names of the first
def _mirrored(devices: int | None) -> tf.distribute.Strategy:
    gpus = tf.config.list_logical_devices("GPU") if tf.config.list_physical_devices("GPU") else []
    if _mirrored.cache_info().currsize:
        raise UserError(
            f"--devices {devices}: this process has trained on another number of devices; begin a"
            " new one"
        )
    if not gpus:
        return tf.distribute.MirroredStrategy(_logical_cpus(devices or 1))
    if devices is not None and devices > len(gpus):
        raise UserError(f"--devices {devices}: there are {len(gpus)} GPUs; choose as many or fewer")
    return tf.distribute.MirroredStrategy([gpu.name for gpu in gpus[:devices]])


def _logical_cpus(count: int) -> list[str]:
    """The processor as several devices, to try out what runs on several GPUs."""
    cpu, *_ = tf.config.list_physical_devices("CPU")
    parts = [tf.config.LogicalDeviceConfiguration()] * count
    configured = tf.config.get_logical_device_configuration(cpu) or []
    if len(configured) < count:
        try:
            tf.config.set_logical_device_configuration(cpu, parts)
        except RuntimeError:
            raise UserError(
                f"--devices {count}: TensorFlow has begun in this process with fewer devices; begin"
                " a new one"
            ) from None
    return [device.name for device in tf.config.list_logical_devices("CPU")[:count]]


@functools.cache
def _workers() -> tf.distribute.Strategy:
    options = tf.distribute.experimental.CommunicationOptions(timeout_seconds=SECONDS_PER_CALL)
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy(_resolver(), options)
        signals.restore_handlers()  # TensorFlow takes SIGTERM, to tell other workers of it
        return strategy
    except RuntimeError:
        raise UserError(
            "--strategy workers: TensorFlow has begun in this process without them; begin a new one"
        ) from None


def _resolver() -> tf.distribute.cluster_resolver.ClusterResolver:
    """Who the workers are: from TF_CONFIG, as Kubeflow and Vertex set it, or from Slurm."""
    resolvers = tf.distribute.cluster_resolver
    if _cluster():
        return resolvers.TFConfigClusterResolver()
    if "SLURM_JOB_ID" in os.environ:
        return resolvers.SlurmClusterResolver()
    raise UserError(
        "--strategy workers: neither TF_CONFIG nor Slurm says who the workers are; to try it out on"
        " this machine: python -m trainer.launch --workers 2 --task flowers"
    )


def _cluster() -> dict[str, list[str]]:
    """The addresses of TF_CONFIG by what they are."""
    try:
        return dict(json.loads(os.environ.get("TF_CONFIG", "{}")).get("cluster", {}))
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(
            f"the environment variable TF_CONFIG is no JSON object with a cluster ({error}); fix"
            " it, or unset it"
        ) from None
