"""Converters of our own, for steps that skl2onnx converts in single precision, wrongly, or not at all."""
