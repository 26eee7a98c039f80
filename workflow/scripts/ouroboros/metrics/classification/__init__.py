"""Fine-tuning on classification tasks, and its scores."""
