package io.github.loragraph.ops;

/** An operator that is its own gradient rule, whatever the kernels. */
public interface DifferentiableOperator extends Operator, Gradient {
  @Override
  default Gradient gradient(Kernels kernels) {
    return this;
  }
}
