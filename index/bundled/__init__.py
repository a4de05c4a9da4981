"""The default embedding model, rebuilt from the package that carries its weights.

container.py reads that package's file, network.py makes and runs the encoder, build.py writes the model
folder, encoder.py is the sentence-transformers module in it. The files of that folder:
"""

TOKENIZER_FILE = "tokenizer.json"
NETWORK_FILE = "openvino_model.xml"
WEIGHTS_FILE = "openvino_model.bin"
CONFIG_FILE = "encoder_config.json"
