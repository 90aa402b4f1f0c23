"""Networks from images to features: modules of TensorFlow Hub and models of Keras."""
