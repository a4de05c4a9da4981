"""The default embedding model, rebuilt from the package that carries its weights.

container.py reads that package's file, network.py makes and runs the encoder, build.py writes the model
folder, encoder.py is the sentence-transformers module in it. The files of that folder are named here.
"""

import sys

TOKENIZER_FILE = "tokenizer.json"
NETWORK_FILE = "openvino_model.xml"
WEIGHTS_FILE = "openvino_model.bin"
CONFIG_FILE = "encoder_config.json"

# Merely importing OpenVINO reports it to its maker, from a child process, and leaves an identifier in the
# user's home, unless its telemetry package cannot be imported; then it uses a stand-in that does nothing. None
# makes the import fail (https://docs.python.org/3/reference/import.html#the-module-cache). It has to be done
# before OpenVINO's first import, and this package is always imported before its network.py.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
