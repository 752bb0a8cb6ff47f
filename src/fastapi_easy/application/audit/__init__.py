"""The audit trail: recording, checkpoints, proofs, archives and what is read from it."""
