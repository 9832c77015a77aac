"""After training: figures and pictures of a run."""
