"""Ways in: each turns what it hears into commands for the kernel, and outcomes into answers."""
