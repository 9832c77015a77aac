"""Dictionary of word vectors: storage, special vectors, whitening, the match, the counts."""
