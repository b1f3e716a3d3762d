package io.github.loragraph.ops;

/** What passes need to know of an operator without knowing which one it is. */
public enum Trait {
  /**
   * Each entry of the first output follows from the entry at the same place of the first input;
   * what other inputs there are hold single numbers.
   */
  ELEMENTWISE,

  /** The first output has the shape of the first input. All that is {@link #ELEMENTWISE} does. */
  KEEPS_SHAPE,

  /**
   * Each entry of the output follows from the entries at the same place of all inputs, which are
   * broadcast to one shape.
   */
  BROADCASTING,

  /** Two operands may change places. */
  COMMUTATIVE,

  /** The outputs hold entries of the first input as they are, none of them twice. */
  MOVES_DATA,

  /** The output holds the entries of all inputs as they are. */
  JOINS_DATA,

  /** The output holds all entries of the first input in their order, in another shape or type. */
  KEEPS_ENTRIES,

  /** The output holds entries of the first input as they are, at the places that others say. */
  SELECTS_DATA,

  /** The output holds all entries of the first input in their order, some several times. */
  REPEATS_DATA,

  /**
   * Changes the numbers of the first input, but not what they say: by a factor and a shift, say, or
   * by dropping some in training.
   */
  KEEPS_MEANING,

  /** Adds or subtracts its inputs. */
  SUM,

  /** Entries of the first input are put together to one by a sum, a mean or the largest. */
  POOLING,

  /**
   * Works along the axis that attribute {@code axis} names (by default the last), or along it and
   * all behind it, and in the same way at every place of the axes before.
   */
  LAST_AXIS,

  /** Brings the entries of each example to a common mean or size, by statistics of their own. */
  NORMALIZATION,

  /** Multiplies matrices of floating-point numbers, whatever else it does. */
  MATRIX_PRODUCT,

  /** What mixed precision computes in 16 bits, as {@code torch.autocast} does. */
  LOWER_PRECISION,

  /** Multiplies by a weight in another way: a convolution. */
  CONVOLUTION,

  /** Multiplies by a weight at each step of a sequence. */
  RECURRENT,

  /** Multiplies by a weight that is quantized. */
  QUANTIZED_PRODUCT,

  /** Multiplies by a weight, and comes out of ONNX Runtime's optimizer. */
  FUSED_PRODUCT,

  /** Comes out of ONNX Runtime's optimizer, and not out of an exporter. */
  FUSED,

  /** Runs subgraphs. */
  CONTROL_FLOW,

  /** Reads the shape of its input and none of its entries. */
  READS_SHAPE
}
