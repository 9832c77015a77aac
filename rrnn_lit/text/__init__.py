"""Raw sentence to tokens, one sentence at a time (paper section 2.7); needs no torch.

The way in is `rrnn_lit.text.pipeline`. The room knows nothing of word vectors or files of
sentences: the dictionary's words come in as a set, duplicates are the data room's job.
"""
