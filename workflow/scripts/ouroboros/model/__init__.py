"""Language models: loss, output layer, scoring, checkpoints, and the families of models."""
