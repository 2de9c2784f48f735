"""TF Serving's wire protocol: messages for those who live without TensorFlow."""
