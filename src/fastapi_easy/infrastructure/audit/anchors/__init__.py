"""Where checkpoints are anchored: one module for each kind of place."""
