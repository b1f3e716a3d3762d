package io.github.loragraph.artifacts;

import io.github.loragraph.artifacts.Checkpoint.OptimizerGroup;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.FlatTable;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Reads the content of a checkpoint file, whose tensors are views of the given bytes. */
final class CheckpointReader {
  /** The root's offset and the identifier. */
  private static final int SMALLEST = 8;

  private final ByteBuffer file;
  private final FlatTable.Budget budget;

  CheckpointReader(ByteBuffer file) {
    this.file = file;
    this.budget = new FlatTable.Budget(file.capacity() / 4);
  }

  /**
   * All that the file holds.
   *
   * @throws FlatTable.Damage if it is not as it was once written
   * @throws LoraGraphException if it is of another kind than those that are read
   * @throws RuntimeException of the buffer, if an offset points outside it
   */
  Checkpoint checkpoint() {
    if (file.capacity() < SMALLEST) {
      throw new FlatTable.Damage("it has %d bytes".formatted(file.capacity()));
    }
    byte[] identifier = new byte[4];
    file.get(4, identifier);
    if (!new String(identifier, StandardCharsets.ISO_8859_1).equals(CheckpointSchema.IDENTIFIER)) {
      throw new FlatTable.Damage("it does not have the identifier " + CheckpointSchema.IDENTIFIER);
    }
    FlatTable root = new FlatTable(file.getInt(0), file);
    int version = root.integer(CheckpointSchema.CHECKPOINT_VERSION);
    if (version != CheckpointSchema.VERSION) {
      throw new LoraGraphException(
          "it is of version %d, and version %d is read"
              .formatted(version, CheckpointSchema.VERSION));
    }
    FlatTable module = root.table(CheckpointSchema.CHECKPOINT_MODULE);
    if (module == null) {
      throw new FlatTable.Damage("it has no parameters");
    }
    if (module.flag(CheckpointSchema.MODULE_EXTERNAL)) {
      throw new LoraGraphException(
          "its parameters stand in another file, which is not read: save it in one file");
    }
    boolean nominal = module.flag(CheckpointSchema.MODULE_NOMINAL);
    List<OptimizerGroup> groups = new ArrayList<>();
    for (FlatTable group : root.tables(CheckpointSchema.CHECKPOINT_GROUPS, budget)) {
      groups.add(group(group));
    }
    return new Checkpoint(
        tensors(module, CheckpointSchema.MODULE_TRAINABLE),
        tensors(module, CheckpointSchema.MODULE_FROZEN),
        nominal,
        groups,
        properties(root.table(CheckpointSchema.CHECKPOINT_PROPERTIES)));
  }

  private List<Tensor> tensors(FlatTable owner, int slot) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (FlatTable fields : owner.tables(slot, budget)) {
      Tensor tensor = tensor(fields);
      if (tensors.put(tensor.name(), tensor) != null) {
        throw new FlatTable.Damage("two tensors are named '%s'".formatted(tensor.name()));
      }
    }
    return List.copyOf(tensors.values());
  }

  private static Tensor tensor(FlatTable fields) {
    String name = fields.string(CheckpointSchema.TENSOR_NAME, "a tensor");
    ElementType type = ElementType.of(fields.integer(CheckpointSchema.TENSOR_TYPE));
    if (type.bytes() == 0) {
      throw new LoraGraphException(
          "tensor '%s' is of type %d, which is not read"
              .formatted(name, fields.integer(CheckpointSchema.TENSOR_TYPE)));
    }
    ByteBuffer sizes = fields.bytes(CheckpointSchema.TENSOR_DIMS, Long.BYTES);
    long[] dims = sizes == null ? new long[0] : new long[sizes.remaining() / Long.BYTES];
    long bytes = type.bytes();
    for (int i = 0; i < dims.length; i++) {
      dims[i] = Objects.requireNonNull(sizes).getLong();
      if (dims[i] < 0) {
        throw new FlatTable.Damage("tensor '%s' has a negative dimension".formatted(name));
      }
      bytes = Math.multiplyExact(bytes, dims[i]);
    }
    ByteBuffer data = fields.bytes(CheckpointSchema.TENSOR_DATA, 1);
    int given = data == null ? 0 : data.remaining();
    if (given != bytes) {
      throw new FlatTable.Damage(
          "tensor '%s' needs %,d bytes and has %,d".formatted(name, bytes, given));
    }
    return Tensor.of(name, type, data == null ? ByteBuffer.allocate(0) : data, dims);
  }

  private OptimizerGroup group(FlatTable fields) {
    Map<String, Map<String, Tensor>> states = new TreeMap<>();
    for (FlatTable state : fields.tables(CheckpointSchema.GROUP_STATES, budget)) {
      Map<String, Tensor> tensors = new HashMap<>();
      tensors(state, CheckpointSchema.STATE_TENSORS).forEach(t -> tensors.put(t.name(), t));
      states.put(state.string(CheckpointSchema.STATE_PARAMETER, "an optimizer state"), tensors);
    }
    return new OptimizerGroup(
        fields.string(CheckpointSchema.GROUP_NAME, "an optimizer group"),
        fields.longInteger(CheckpointSchema.GROUP_STEP),
        fields.real(CheckpointSchema.GROUP_RATE),
        states);
  }

  private Map<String, Object> properties(@Nullable FlatTable bag) {
    Map<String, Object> properties = new TreeMap<>();
    if (bag != null) {
      add(
          bag,
          CheckpointSchema.BAG_LONGS,
          properties,
          p -> p.longInteger(CheckpointSchema.PROPERTY_VALUE));
      add(
          bag,
          CheckpointSchema.BAG_FLOATS,
          properties,
          p -> p.real(CheckpointSchema.PROPERTY_VALUE));
      add(
          bag,
          CheckpointSchema.BAG_STRINGS,
          properties,
          p -> p.string(CheckpointSchema.PROPERTY_VALUE, "a text"));
    }
    return properties;
  }

  private void add(
      FlatTable bag, int slot, Map<String, Object> properties, Function<FlatTable, Object> value) {
    for (FlatTable property : bag.tables(slot, budget)) {
      properties.put(
          property.string(CheckpointSchema.PROPERTY_NAME, "a property"), value.apply(property));
    }
  }
}
