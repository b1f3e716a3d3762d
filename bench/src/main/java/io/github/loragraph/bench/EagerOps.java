package io.github.loragraph.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.Activation;
import ai.djl.nn.core.Embedding;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.LayerNorm;
import java.util.Map;
import java.util.Objects;

/**
 * Computes at once, by the functions that DJL's own blocks call.
 *
 * @param parameters by the names that PyTorch gives them
 */
record EagerOps(Map<String, NDArray> parameters) implements TensorOps<NDArray> {
  @Override
  public NDArray parameter(String name) {
    return Objects.requireNonNull(parameters.get(ScriptOps.attribute(name)), name);
  }

  @Override
  public NDArray embedding(NDArray table, NDArray indices) {
    return Embedding.embedding(indices, table, SparseFormat.DENSE).singletonOrThrow();
  }

  @Override
  public NDArray add(NDArray a, NDArray b) {
    return a.add(b);
  }

  @Override
  public NDArray layerNorm(NDArray x, int width, NDArray weight, NDArray bias, double epsilon) {
    return LayerNorm.layerNorm(x, new Shape(width), weight, bias, (float) epsilon)
        .singletonOrThrow();
  }

  @Override
  public NDArray linear(NDArray x, NDArray weight, NDArray bias) {
    return Linear.linear(x, weight, bias).singletonOrThrow();
  }

  @Override
  public NDArray matMul(NDArray a, NDArray b) {
    return a.matMul(b);
  }

  @Override
  public NDArray gelu(NDArray x) {
    return Activation.gelu(x);
  }

  @Override
  public NDArray tanh(NDArray x) {
    return x.tanh();
  }

  /** In single operations: DJL has no other. */
  @Override
  public NDArray attention(
      NDArray query, NDArray key, NDArray value, NDArray mask, int heads, int width) {
    NDArray scores = heads(query, heads, width).matMul(heads(key, heads, width).swapAxes(2, 3));
    NDArray weights = scores.div((float) Math.sqrt(width)).add(mask).softmax(-1);
    return weights.matMul(heads(value, heads, width)).swapAxes(1, 2).reshape(query.getShape());
  }

  private static NDArray heads(NDArray x, int heads, int width) {
    Shape shape = x.getShape();
    return x.reshape(shape.get(0), shape.get(1), heads, width).swapAxes(1, 2);
  }

  @Override
  public NDArray first(NDArray x) {
    return x.get(":, 0");
  }

  @Override
  public NDArray mean(NDArray x, NDArray tokens) {
    return x.mul(tokens).sum(new int[] {1}).div(tokens.sum(new int[] {1}));
  }
}
