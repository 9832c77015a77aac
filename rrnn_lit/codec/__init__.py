"""Sentence vectors without training: the bundle, the codec, its commands."""
