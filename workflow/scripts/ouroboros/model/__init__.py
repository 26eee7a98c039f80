"""The language model: forward, loss, output layer, checkpoints."""
