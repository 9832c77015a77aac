"""Where raw sentences come from: docstrings of installed packages, text files, WMT archives."""
