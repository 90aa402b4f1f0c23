"""Networks from images to features: TensorFlow Hub modules and Keras models."""
