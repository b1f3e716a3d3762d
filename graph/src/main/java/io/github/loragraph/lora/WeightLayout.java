package io.github.loragraph.lora;

/** How a Linear's weight lies in its initializer. */
public enum WeightLayout {
  /** Rows are input features: (in, out), as {@code MatMul} multiplies it. */
  IN_OUT,
  /** Rows are output features: (out, in), as PyTorch's {@code nn.Linear.weight} has it. */
  OUT_IN
}
