"""Experiment trackers, one per file: TensorBoard, MLflow, and Weights & Biases. See `open_tracker`."""
