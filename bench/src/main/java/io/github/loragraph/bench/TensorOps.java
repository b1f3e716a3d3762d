package io.github.loragraph.bench;

/**
 * The operations that an encoder consists of, in libtorch's words.
 *
 * @param <V> a value: an array that is computed at once, or a name in a script
 */
interface TensorOps<V> {
  /** A weight, by the name that PyTorch gives it. */
  V parameter(String name);

  /** Rows of a table. */
  V embedding(V table, V indices);

  V add(V a, V b);

  /** Over the last axis, {@code width} long. */
  V layerNorm(V x, int width, V weight, V bias, double epsilon);

  /** {@code xW' + b}, W (out, in). */
  V linear(V x, V weight, V bias);

  V matMul(V a, V b);

  V gelu(V x);

  V tanh(V x);

  /**
   * Softmax of the scaled scores, times the values.
   *
   * @param query (batch, sequence, heads * width), as key and value are
   * @param mask 0 where a token counts and the lowest number where not, (batch, 1, 1, sequence)
   */
  V attention(V query, V key, V value, V mask, int heads, int width);

  /** The first token of each example. */
  V first(V x);

  /**
   * The mean over the tokens that count.
   *
   * @param tokens 1 where a token counts and 0 where not, (batch, sequence, 1)
   */
  V mean(V x, V tokens);
}
