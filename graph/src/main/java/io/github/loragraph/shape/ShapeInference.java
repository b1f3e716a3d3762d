package io.github.loragraph.shape;

import io.github.loragraph.onnx.OnnxModel;

/** Finds the types of the values of a model without running it. A runtime provides it. */
@FunctionalInterface
public interface ShapeInference {
  /**
   * The types of all values of a model: of its inputs, initializers and of every node's outputs.
   * What cannot be found out is left out, has unknown dimensions, or has no shape where not even
   * the rank is known. (ONNX Runtime's Java API reports such a value with no dimensions, as it does
   * a scalar: both have no shape here.)
   *
   * @throws io.github.loragraph.error.LoraGraphException if the model is not valid
   */
  ValueTypes infer(OnnxModel model);
}
