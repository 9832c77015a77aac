"""Side-by-side benchmarks: our parts and their peers in one process, correctness beside time."""
