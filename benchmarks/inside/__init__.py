"""Programs that measure in a process of their own; `benchmarks.programs` runs them. Each prints JSON."""
