"""Faults on purpose, none of which needs root: try them on your own run before a cluster does."""
