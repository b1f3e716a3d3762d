package io.github.loragraph.autodiff;

import io.github.loragraph.onnx.OnnxModel;

/** Finds the types of all values of a model before it runs; a runtime implements it. */
public interface ShapeInference {
  /**
   * Element types of all tensors, shapes as far as they can be known.
   *
   * @throws io.github.loragraph.LoraGraphException if the model is inconsistent
   */
  ValueTypes infer(OnnxModel model);
}
