"""The reader: a question in one language, a passage in another -> the words that answer it, or that none do.

encode.py makes token ids of a question and a passage, openvino_reader.py runs the network on them. `eval.learning`
makes its weights and is not needed to use it.
"""

FORMAT = "polycite-reader-1"  # in the metadata of a trained file
