"""The reader: a question in one language, a passage in another -> the words that answer it, or that none do.

encode.py makes token ids of a question and a passage, model.py is the network, openvino_reader.py runs it; data.py,
augment.py and train.py make its weights and are not needed to use it.
"""

FORMAT = "polycite-reader-1"  # in the metadata of a trained file
