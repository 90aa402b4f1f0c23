"""Changes of an image's colours, float32 [height, width, channels] in [0, 1].

Written for XLA. Unless a function says otherwise, what comes out may lie outside of [0, 1].
"""

from __future__ import annotations

import tensorflow as tf

LUMA = (0.2989, 0.587, 0.114)
"""Of red, green and blue: the weights of `tf.image.rgb_to_grayscale`, ITU-R BT.601."""


def adjust_hue_and_saturation(image: tf.Tensor, turn: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """`tf.image.adjust_hue` and `tf.image.adjust_saturation` in one: in HSV; grey as it is.

    Args:
        image: In [0, 1].
        turn: By which the hue is moved on, as a fraction of the circle.
        factor: Of the saturation, which is cut at 1.
    """
    if image.shape[-1] != 3:
        return image
    red, green, blue = tf.unstack(image, axis=-1)
    value = tf.maximum(tf.maximum(red, green), blue)
    chroma = value - tf.minimum(tf.minimum(red, green), blue)
    sextant = tf.where(
        value == red,
        tf.math.divide_no_nan(green - blue, chroma),
        tf.where(
            value == green,
            2 + tf.math.divide_no_nan(blue - red, chroma),
            4 + tf.math.divide_no_nan(red - green, chroma),
        ),
    )
    chroma = tf.minimum(chroma * factor, value)
    # A channel is below the value by a trapezoid of its distance on the circle of hues.
    channels = [_channel(value, chroma, sextant + 6 * turn + offset) for offset in (5, 3, 1)]
    return tf.stack(channels, axis=-1)


def _channel(value: tf.Tensor, chroma: tf.Tensor, sextant: tf.Tensor) -> tf.Tensor:
    place = sextant - 6 * tf.floor(sextant / 6)
    return value - chroma * tf.clip_by_value(tf.minimum(place, 4 - place), 0.0, 1.0)


def grey(image: tf.Tensor) -> tf.Tensor:
    """The luma of each pixel, float32 [height, width, 1]."""
    if image.shape[-1] != 3:
        return image
    red, green, blue = tf.unstack(image, axis=-1)
    return (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue)[..., None]


def brighten(image: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Every value times a factor."""
    return image * factor


def colour(image: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Each pixel's distance from its grey times a factor: 0 is a grey image."""
    return _blend(grey(image), image, factor)


def contrast(image: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Each value's distance from the mean grey of the image times a factor."""
    return _blend(tf.reduce_mean(grey(image)), image, factor)


def sharpen(image: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Each value's distance from the smoothed image times a factor: 0 is smooth.

    Smoothed by 3 x 3 pixels, of which the middle weighs 5 and the others 1, as in Pillow; pixels at
    the edges stay.
    """
    rows = image[:-2] + image[1:-1] + image[2:]
    sums = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    inner = image[1:-1, 1:-1]
    sharpened = _blend((sums + 4 * inner) / 13, inner, factor)
    difference = tf.pad(sharpened - inner, [[1, 1], [1, 1], [0, 0]])
    return image + difference


def posterize(image: tf.Tensor, bits: int) -> tf.Tensor:
    """The first so many of the 8 bits of each value."""
    step = 2 ** (8 - bits)
    return tf.floor(_in_8_bits(image) / step) * step / 255


def solarize(image: tf.Tensor, threshold: tf.Tensor) -> tf.Tensor:
    """The values from a threshold up inverted."""
    return tf.where(image < threshold, image, 1 - image)


def autocontrast(image: tf.Tensor) -> tf.Tensor:
    """Each channel stretched to the whole of [0, 1]; one of a single value as it is."""
    lowest = tf.reduce_min(image, axis=[0, 1])
    highest = tf.reduce_max(image, axis=[0, 1])
    span = highest - lowest
    stretched = (image - lowest) / tf.where(span > 0, span, 1.0)
    return tf.where(span > 0, stretched, image)


def equalize(image: tf.Tensor) -> tf.Tensor:
    """Each channel in 8 bits with a histogram as flat as it can be, by the rule of Pillow."""
    channels = image.shape[-1]
    values = tf.cast(_in_8_bits(image), tf.int32)
    entries = values + 256 * tf.range(channels)
    ones = tf.ones([entries.shape.num_elements()], tf.int32)
    histograms = tf.scatter_nd(tf.reshape(entries, [-1, 1]), ones, [256 * channels])
    table = _equalizing_table(tf.reshape(histograms, [channels, 256]))
    return tf.gather(tf.reshape(table, [-1]), entries)


def _equalizing_table(histograms: tf.Tensor) -> tf.Tensor:
    """What each of the 256 values of a channel becomes, float32 [channels, 256] in [0, 1]."""
    values = tf.range(256)
    highest = tf.reduce_max(tf.where(histograms > 0, values, 0), axis=1, keepdims=True)
    below_highest = tf.reduce_sum(tf.where(values < highest, histograms, 0), axis=1, keepdims=True)
    step = below_highest // 255
    before = tf.cumsum(histograms, axis=1, exclusive=True)
    equalized = tf.minimum((before + step // 2) // tf.maximum(step, 1), 255)
    return tf.cast(tf.where(step > 0, equalized, values), tf.float32) / 255


def _in_8_bits(image: tf.Tensor) -> tf.Tensor:
    return tf.round(tf.clip_by_value(image, 0.0, 1.0) * 255)


def _blend(other: tf.Tensor, image: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    return other + (image - other) * factor
