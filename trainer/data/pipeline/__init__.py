"""From encoded examples to batches: order, augmentation, MixUp, padding."""
