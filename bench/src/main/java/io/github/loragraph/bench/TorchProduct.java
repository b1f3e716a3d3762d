package io.github.loragraph.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.loragraph.bench.ProductRate.Size;

/** libtorch's product. */
final class TorchProduct implements ProductRate.Product {
  private final NDManager manager = NDManager.newBaseManager(TorchEncoder.ENGINE);
  private final NDArray input;
  private final NDArray matrix;

  TorchProduct(Size size) {
    this.input = manager.ones(new Shape(size.rows(), size.inner()));
    this.matrix = manager.ones(new Shape(size.inner(), size.columns()));
  }

  @Override
  public void multiply() {
    input.matMul(matrix).close();
  }

  @Override
  public void close() {
    manager.close();
  }
}
