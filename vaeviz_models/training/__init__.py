"""Training: `fit`, one step, evaluation, loaders, devices and precision."""
