"""Studies: the library behind `sweeps/` and `rrnn sweep`."""
