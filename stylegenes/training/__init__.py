"""Training: losses, regularizers, augmentation, schedules, the step and the loop around it."""
