"""What a training run reads, and the command that prepares it."""
