package io.github.loragraph.artifacts;

import com.google.flatbuffers.FlatBufferBuilder;
import io.github.loragraph.artifacts.Checkpoint.OptimizerGroup;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.DirectMemory;
import io.github.loragraph.onnx.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToIntFunction;

/**
 * Makes the content of a checkpoint file; vectors that ONNX Runtime searches are sorted by name.
 */
final class CheckpointWriter implements AutoCloseable {
  /** Offsets in FlatBuffers have 31 bits. */
  private static final long LARGEST = Integer.MAX_VALUE - (1 << 20);

  private final FlatBufferBuilder b;
  private final Direct memory = new Direct();
  private final Checkpoint checkpoint;

  CheckpointWriter(Checkpoint checkpoint, Path file) {
    this.checkpoint = checkpoint;
    long size = size(checkpoint);
    if (size > LARGEST) {
      throw new LoraGraphException(
          "%s would be larger than 2 GB, which no checkpoint can be: train fewer parameters, or none to checkpoint"
              .formatted(file));
    }
    b = new FlatBufferBuilder((int) size, memory);
  }

  /** The bytes that the content of one has, or a few more. */
  static long size(Checkpoint checkpoint) {
    List<Tensor> all = new ArrayList<>(checkpoint.trainable());
    all.addAll(checkpoint.frozen());
    checkpoint.groups().forEach(g -> g.states().values().forEach(s -> all.addAll(s.values())));
    return all.stream().mapToLong(t -> t.bytes().remaining() + 256L).sum() + (1 << 16);
  }

  /** Outside of the heap, which need not be as large as the parameters. */
  private static final class Direct extends FlatBufferBuilder.ByteBufferFactory {
    private final List<ByteBuffer> made = new ArrayList<>();

    @Override
    public ByteBuffer newByteBuffer(int capacity) {
      ByteBuffer buffer = ByteBuffer.allocateDirect(capacity).order(ByteOrder.LITTLE_ENDIAN);
      made.add(buffer);
      return buffer;
    }
  }

  /** The content, until this is closed. */
  ByteBuffer bytes() {
    int trainable = tensors(checkpoint.trainable());
    int frozen = tensors(checkpoint.frozen());
    b.startTable(4);
    b.addOffset(CheckpointSchema.MODULE_TRAINABLE, trainable, 0);
    b.addOffset(CheckpointSchema.MODULE_FROZEN, frozen, 0);
    b.addBoolean(CheckpointSchema.MODULE_NOMINAL, checkpoint.nominal(), false);
    int module = b.endTable();
    int groups = vector(sorted(checkpoint.groups(), OptimizerGroup::name), this::group);
    int properties = properties();
    b.startTable(4);
    b.addInt(CheckpointSchema.CHECKPOINT_VERSION, CheckpointSchema.VERSION, 0);
    b.addOffset(CheckpointSchema.CHECKPOINT_MODULE, module, 0);
    b.addOffset(CheckpointSchema.CHECKPOINT_GROUPS, groups, 0);
    b.addOffset(CheckpointSchema.CHECKPOINT_PROPERTIES, properties, 0);
    b.finish(b.endTable(), CheckpointSchema.IDENTIFIER);
    return b.dataBuffer();
  }

  private int tensors(Collection<Tensor> tensors) {
    return vector(sorted(tensors, Tensor::name), this::tensor);
  }

  private static <T> List<T> sorted(Collection<T> entries, Function<T, String> name) {
    return entries.stream().sorted(Comparator.comparing(name)).toList();
  }

  private <T> int vector(List<T> entries, ToIntFunction<T> write) {
    return b.createVectorOfTables(entries.stream().mapToInt(write).toArray());
  }

  private int tensor(Tensor tensor) {
    int name = b.createString(tensor.name());
    long[] sizes = tensor.dims();
    b.startVector(Long.BYTES, sizes.length, Long.BYTES);
    for (int i = sizes.length - 1; i >= 0; i--) {
      b.addLong(sizes[i]);
    }
    int dims = b.endVector();
    int data = b.createByteVector(tensor.bytes());
    b.startTable(6);
    b.addOffset(CheckpointSchema.TENSOR_NAME, name, 0);
    b.addOffset(CheckpointSchema.TENSOR_DIMS, dims, 0);
    b.addInt(CheckpointSchema.TENSOR_TYPE, tensor.elementType().code(), 0);
    b.addOffset(CheckpointSchema.TENSOR_DATA, data, 0);
    return b.endTable();
  }

  private int group(OptimizerGroup group) {
    int name = b.createString(group.name());
    int states =
        vector(
            List.copyOf(group.states().entrySet()),
            entry -> state(entry.getKey(), entry.getValue().values()));
    b.startTable(4);
    b.addOffset(CheckpointSchema.GROUP_NAME, name, 0);
    b.addLong(CheckpointSchema.GROUP_STEP, group.step(), 0);
    b.addFloat(CheckpointSchema.GROUP_RATE, group.initialLearningRate(), 0);
    b.addOffset(CheckpointSchema.GROUP_STATES, states, 0);
    return b.endTable();
  }

  private int state(String parameter, Collection<Tensor> tensors) {
    int name = b.createString(parameter);
    int content = tensors(tensors);
    b.startTable(2);
    b.addOffset(CheckpointSchema.STATE_PARAMETER, name, 0);
    b.addOffset(CheckpointSchema.STATE_TENSORS, content, 0);
    return b.endTable();
  }

  private int properties() {
    Map<String, Object> sorted = new TreeMap<>(checkpoint.properties());
    int longs = propertiesOf(sorted, Long.class);
    int floats = propertiesOf(sorted, Float.class);
    int strings = propertiesOf(sorted, String.class);
    b.startTable(3);
    b.addOffset(CheckpointSchema.BAG_LONGS, longs, 0);
    b.addOffset(CheckpointSchema.BAG_FLOATS, floats, 0);
    b.addOffset(CheckpointSchema.BAG_STRINGS, strings, 0);
    return b.endTable();
  }

  private int propertiesOf(Map<String, Object> sorted, Class<?> type) {
    return vector(
        sorted.entrySet().stream().filter(e -> type.isInstance(e.getValue())).toList(),
        entry -> {
          int name = b.createString(entry.getKey());
          int text = entry.getValue() instanceof String s ? b.createString(s) : 0;
          b.startTable(2);
          b.addOffset(CheckpointSchema.PROPERTY_NAME, name, 0);
          if (entry.getValue() instanceof Long value) {
            b.addLong(CheckpointSchema.PROPERTY_VALUE, value, 0);
          } else if (entry.getValue() instanceof Float value) {
            b.addFloat(CheckpointSchema.PROPERTY_VALUE, value, 0);
          } else {
            b.addOffset(CheckpointSchema.PROPERTY_VALUE, text, 0);
          }
          return b.endTable();
        });
  }

  @Override
  public void close() {
    memory.made.forEach(DirectMemory::free);
  }
}
