package io.github.loragraph.artifacts;

/**
 * What ONNX Runtime's schema of checkpoint files says: the fields of each table by their slots, in
 * the order of {@code checkpoint.fbs}. By hand, as the generator would be a tool for one file.
 */
final class CheckpointSchema {
  /** Stands after the root's offset. */
  static final String IDENTIFIER = "ODTC";

  static final int VERSION = 2;

  static final int CHECKPOINT_VERSION = 0;
  static final int CHECKPOINT_MODULE = 1;
  static final int CHECKPOINT_GROUPS = 2;
  static final int CHECKPOINT_PROPERTIES = 3;
  static final int MODULE_TRAINABLE = 0;
  static final int MODULE_FROZEN = 1;
  static final int MODULE_NOMINAL = 2;
  static final int MODULE_EXTERNAL = 3;
  static final int TENSOR_NAME = 0;
  static final int TENSOR_DIMS = 2;
  static final int TENSOR_TYPE = 3;
  static final int TENSOR_DATA = 4;
  static final int GROUP_NAME = 0;
  static final int GROUP_STEP = 1;
  static final int GROUP_RATE = 2;
  static final int GROUP_STATES = 3;
  static final int STATE_PARAMETER = 0;
  static final int STATE_TENSORS = 1;
  static final int BAG_LONGS = 0;
  static final int BAG_FLOATS = 1;
  static final int BAG_STRINGS = 2;
  static final int PROPERTY_NAME = 0;
  static final int PROPERTY_VALUE = 1;

  private CheckpointSchema() {}
}
