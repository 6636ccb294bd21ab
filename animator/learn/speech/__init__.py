"""Training of the mouth network (`animator/motion/voice/mouth.onnx`). See the model card beside it for the commands."""
