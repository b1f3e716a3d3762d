package io.github.loragraph.artifacts;

import com.google.flatbuffers.FlatBufferBuilder;
import com.google.flatbuffers.Table;
import io.github.loragraph.artifacts.Checkpoint.OptimizerGroup;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToIntFunction;

/**
 * Reads and writes checkpoint files: FlatBuffers with the identifier {@code ODTC}, by ONNX
 * Runtime's schema of version 2. Vectors that ONNX Runtime searches are sorted by name. What is
 * written here ends with a checksum, which is checked when it is read; a file that ONNX Runtime
 * saved has none.
 */
public final class CheckpointFile {
  private static final String IDENTIFIER = "ODTC";
  private static final int VERSION = 2;

  /** Offsets in FlatBuffers have 31 bits. */
  private static final long LARGEST = Integer.MAX_VALUE - (1 << 20);

  /** The root's offset and the identifier. */
  private static final int SMALLEST = 8;

  private CheckpointFile() {}

  /**
   * Reads a checkpoint. The file is mapped; tensors are views of the map.
   *
   * @throws LoraGraphException if the file cannot be read, or is no checkpoint of version 2
   */
  public static Checkpoint read(Path file) {
    return read(file, "if it was cut short, save or copy it again");
  }

  /**
   * Reads a checkpoint as {@link #read(Path)} does.
   *
   * @param advice what to do where the file is damaged
   */
  public static Checkpoint read(Path file, String advice) {
    return parse(file, mapped(file), advice);
  }

  /**
   * Reads a checkpoint that {@link #write} has written: one without a checksum is refused.
   *
   * @throws LoraGraphException as {@link #read(Path)} does, or if the checksum is missing
   */
  public static Checkpoint readChecked(Path file) {
    ByteBuffer bytes = mapped(file);
    if (!CheckpointTrailer.isIn(bytes)) {
      throw new LoraGraphException(file + " is damaged: the checksum at its end is missing");
    }
    return parse(file, bytes, "it was written wrong");
  }

  private static ByteBuffer mapped(Path file) {
    return content(file, channel -> channel.map(MapMode.READ_ONLY, 0, channel.size()));
  }

  /**
   * Reads a checkpoint into memory: nothing refers to the file afterwards, which may be deleted.
   *
   * @throws LoraGraphException as {@link #read(Path)} does
   */
  public static Checkpoint readCopied(Path file) {
    return parse(file, content(file, CheckpointFile::copied), "save it again");
  }

  private static Checkpoint parse(Path file, ByteBuffer bytes, String advice) {
    ByteBuffer content = bytes;
    if (CheckpointTrailer.isIn(bytes)) {
      if (!CheckpointTrailer.fits(bytes)) {
        throw new LoraGraphException(
            file + " is damaged: its content does not have the checksum at its end");
      }
      content = bytes.slice(0, bytes.limit() - CheckpointTrailer.SIZE);
    }
    try {
      return new Reader(content.order(ByteOrder.LITTLE_ENDIAN)).checkpoint();
    } catch (IndexOutOfBoundsException | IllegalArgumentException | ArithmeticException e) {
      throw refused(file, "an offset points outside it (%s)".formatted(advice), e);
    } catch (Damage e) {
      throw refused(file, "%s (%s)".formatted(e.getMessage(), advice), e);
    } catch (LoraGraphException e) {
      throw refused(file, e.getMessage(), e);
    }
  }

  private static LoraGraphException refused(Path file, String reason, Exception cause) {
    return new LoraGraphException(
        "%s is no checkpoint of ONNX Runtime's training API: %s".formatted(file, reason), cause);
  }

  /** Says that a file is not what was once written, so that another copy of it may be whole. */
  private static final class Damage extends RuntimeException {
    Damage(String reason) {
      super(reason);
    }
  }

  @FunctionalInterface
  private interface Access {
    ByteBuffer to(FileChannel channel) throws IOException;
  }

  private static ByteBuffer content(Path file, Access access) {
    if (!Files.isRegularFile(file)) {
      throw new LoraGraphException("no such checkpoint: " + file);
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      if (channel.size() > Integer.MAX_VALUE) {
        throw refused(file, "it is larger than 2 GiB", null);
      }
      return access.to(channel);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }

  /** Outside of the heap, which need not be as large as the parameters. */
  private static ByteBuffer copied(FileChannel channel) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocateDirect(Math.toIntExact(channel.size()));
    while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
      // Read on.
    }
    return bytes.flip();
  }

  /**
   * Writes a checkpoint whole or not at all.
   *
   * @throws LoraGraphException if the file exists and may not be replaced, cannot be written, or
   *     would be larger than FlatBuffers can be
   */
  public static void write(Checkpoint checkpoint, Path file, boolean replace) {
    AtomicFile.checkTarget(file, replace);
    try (StagedFiles files = new StagedFiles(file.toAbsolutePath().getParent(), replace)) {
      stage(checkpoint, file, files);
      files.commit();
    }
  }

  /**
   * Puts a checkpoint among files that appear together.
   *
   * @throws LoraGraphException as {@link #write} does
   */
  static void stage(Checkpoint checkpoint, Path file, StagedFiles files) {
    ByteBuffer bytes = new Writer(checkpoint, file).bytes();
    ByteBuffer trailer = CheckpointTrailer.of(bytes);
    files.write(
        file,
        out -> {
          WritableByteChannel channel = Channels.newChannel(out);
          for (ByteBuffer part : List.of(bytes, trailer)) {
            while (part.hasRemaining()) {
              channel.write(part);
            }
          }
        });
  }

  /** Fields by their slots, in the order of the schema. */
  private static final class Schema {
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

    private Schema() {}
  }

  /** Gives access to what a table of FlatBuffers keeps for generated subclasses. */
  private static final class Fields extends Table {
    Fields(int position, ByteBuffer bytes) {
      __reset(position, bytes);
    }

    /** Where a field stands; 0 where it is left out. */
    private int position(int slot) {
      int offset = __offset(4 + 2 * slot);
      return offset == 0 ? 0 : offset + bb_pos;
    }

    int integer(int slot) {
      int at = position(slot);
      return at == 0 ? 0 : bb.getInt(at);
    }

    long longInteger(int slot) {
      int at = position(slot);
      return at == 0 ? 0 : bb.getLong(at);
    }

    float real(int slot) {
      int at = position(slot);
      return at == 0 ? 0 : bb.getFloat(at);
    }

    boolean flag(int slot) {
      int at = position(slot);
      return at != 0 && bb.get(at) != 0;
    }

    String string(int slot, String what) {
      ByteBuffer content = bytes(slot, 1);
      if (content == null) {
        throw new Damage(what + " has no name");
      }
      return StandardCharsets.UTF_8.decode(content).toString();
    }

    /** The content of a vector, or null where it is left out. */
    ByteBuffer bytes(int slot, int width) {
      int at = position(slot);
      if (at == 0) {
        return null;
      }
      int start = at + bb.getInt(at);
      int length = Math.multiplyExact(bb.getInt(start), width);
      return bb.slice(Math.addExact(start, 4), length).order(ByteOrder.LITTLE_ENDIAN);
    }

    Fields table(int slot) {
      int at = position(slot);
      return at == 0 ? null : new Fields(at + bb.getInt(at), bb);
    }

    List<Fields> tables(int slot, Budget budget) {
      int at = position(slot);
      List<Fields> tables = new ArrayList<>();
      if (at != 0) {
        int start = at + bb.getInt(at);
        int length = bb.getInt(start);
        for (int i = 0; i < length; i++) {
          budget.spend();
          int entry = start + 4 + 4 * i;
          tables.add(new Fields(entry + bb.getInt(entry), bb));
        }
      }
      return tables;
    }
  }

  /** Tables may overlap in a damaged file; there cannot be more of them than fit side by side. */
  private static final class Budget {
    private int left;

    Budget(int tables) {
      left = tables;
    }

    void spend() {
      if (--left < 0) {
        throw new Damage("it has more tables than bytes");
      }
    }
  }

  private static final class Reader {
    private final ByteBuffer file;
    private final Budget budget;

    Reader(ByteBuffer file) {
      this.file = file;
      this.budget = new Budget(file.capacity() / 4);
    }

    Checkpoint checkpoint() {
      if (file.capacity() < SMALLEST) {
        throw new Damage("it has %d bytes".formatted(file.capacity()));
      }
      byte[] identifier = new byte[4];
      file.get(4, identifier);
      if (!new String(identifier, StandardCharsets.ISO_8859_1).equals(IDENTIFIER)) {
        throw new Damage("it does not have the identifier " + IDENTIFIER);
      }
      Fields root = new Fields(file.getInt(0), file);
      int version = root.integer(Schema.CHECKPOINT_VERSION);
      if (version != VERSION) {
        throw new LoraGraphException(
            "it is of version %d, and version %d is read".formatted(version, VERSION));
      }
      Fields module = root.table(Schema.CHECKPOINT_MODULE);
      if (module == null) {
        throw new Damage("it has no parameters");
      }
      if (module.flag(Schema.MODULE_EXTERNAL)) {
        throw new LoraGraphException(
            "its parameters stand in another file, which is not read: save it in one file");
      }
      boolean nominal = module.flag(Schema.MODULE_NOMINAL);
      List<OptimizerGroup> groups = new ArrayList<>();
      for (Fields group : root.tables(Schema.CHECKPOINT_GROUPS, budget)) {
        groups.add(group(group));
      }
      return new Checkpoint(
          tensors(module, Schema.MODULE_TRAINABLE),
          tensors(module, Schema.MODULE_FROZEN),
          nominal,
          groups,
          properties(root.table(Schema.CHECKPOINT_PROPERTIES)));
    }

    private List<Tensor> tensors(Fields owner, int slot) {
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      for (Fields fields : owner.tables(slot, budget)) {
        Tensor tensor = tensor(fields);
        if (tensors.put(tensor.name(), tensor) != null) {
          throw new Damage("two tensors are named '%s'".formatted(tensor.name()));
        }
      }
      return List.copyOf(tensors.values());
    }

    private static Tensor tensor(Fields fields) {
      String name = fields.string(Schema.TENSOR_NAME, "a tensor");
      ElementType type = ElementType.of(fields.integer(Schema.TENSOR_TYPE));
      if (type.bytes() == 0) {
        throw new LoraGraphException(
            "tensor '%s' is of type %d, which is not read"
                .formatted(name, fields.integer(Schema.TENSOR_TYPE)));
      }
      ByteBuffer sizes = fields.bytes(Schema.TENSOR_DIMS, Long.BYTES);
      long[] dims = new long[sizes == null ? 0 : sizes.remaining() / Long.BYTES];
      long bytes = type.bytes();
      for (int i = 0; i < dims.length; i++) {
        dims[i] = sizes.getLong();
        if (dims[i] < 0) {
          throw new Damage("tensor '%s' has a negative dimension".formatted(name));
        }
        bytes = Math.multiplyExact(bytes, dims[i]);
      }
      ByteBuffer data = fields.bytes(Schema.TENSOR_DATA, 1);
      int given = data == null ? 0 : data.remaining();
      if (given != bytes) {
        throw new Damage("tensor '%s' needs %,d bytes and has %,d".formatted(name, bytes, given));
      }
      return Tensor.of(name, type, data == null ? ByteBuffer.allocate(0) : data, dims);
    }

    private OptimizerGroup group(Fields fields) {
      Map<String, Map<String, Tensor>> states = new TreeMap<>();
      for (Fields state : fields.tables(Schema.GROUP_STATES, budget)) {
        Map<String, Tensor> tensors = new HashMap<>();
        tensors(state, Schema.STATE_TENSORS).forEach(t -> tensors.put(t.name(), t));
        states.put(state.string(Schema.STATE_PARAMETER, "an optimizer state"), tensors);
      }
      return new OptimizerGroup(
          fields.string(Schema.GROUP_NAME, "an optimizer group"),
          fields.longInteger(Schema.GROUP_STEP),
          fields.real(Schema.GROUP_RATE),
          states);
    }

    private Map<String, Object> properties(Fields bag) {
      Map<String, Object> properties = new TreeMap<>();
      if (bag != null) {
        add(bag, Schema.BAG_LONGS, properties, p -> p.longInteger(Schema.PROPERTY_VALUE));
        add(bag, Schema.BAG_FLOATS, properties, p -> p.real(Schema.PROPERTY_VALUE));
        add(bag, Schema.BAG_STRINGS, properties, p -> p.string(Schema.PROPERTY_VALUE, "a text"));
      }
      return properties;
    }

    private void add(
        Fields bag, int slot, Map<String, Object> properties, Function<Fields, Object> value) {
      for (Fields property : bag.tables(slot, budget)) {
        properties.put(property.string(Schema.PROPERTY_NAME, "a property"), value.apply(property));
      }
    }
  }

  private static final class Writer {
    private final FlatBufferBuilder b;
    private final Checkpoint checkpoint;

    Writer(Checkpoint checkpoint, Path file) {
      this.checkpoint = checkpoint;
      List<Tensor> all = new ArrayList<>(checkpoint.trainable());
      all.addAll(checkpoint.frozen());
      checkpoint.groups().forEach(g -> g.states().values().forEach(s -> all.addAll(s.values())));
      long size = all.stream().mapToLong(t -> t.bytes().remaining() + 256L).sum() + (1 << 16);
      if (size > LARGEST) {
        throw new LoraGraphException(
            "%s would be larger than 2 GB, which no checkpoint can be: train fewer parameters, or none to checkpoint"
                .formatted(file));
      }
      b = new FlatBufferBuilder((int) size, new Direct());
    }

    /** Outside of the heap, which need not be as large as the parameters. */
    private static final class Direct extends FlatBufferBuilder.ByteBufferFactory {
      @Override
      public ByteBuffer newByteBuffer(int capacity) {
        return ByteBuffer.allocateDirect(capacity).order(ByteOrder.LITTLE_ENDIAN);
      }
    }

    ByteBuffer bytes() {
      int trainable = tensors(checkpoint.trainable());
      int frozen = tensors(checkpoint.frozen());
      b.startTable(4);
      b.addOffset(Schema.MODULE_TRAINABLE, trainable, 0);
      b.addOffset(Schema.MODULE_FROZEN, frozen, 0);
      b.addBoolean(Schema.MODULE_NOMINAL, checkpoint.nominal(), false);
      int module = b.endTable();
      int groups = vector(sorted(checkpoint.groups(), OptimizerGroup::name), this::group);
      int properties = properties();
      b.startTable(4);
      b.addInt(Schema.CHECKPOINT_VERSION, VERSION, 0);
      b.addOffset(Schema.CHECKPOINT_MODULE, module, 0);
      b.addOffset(Schema.CHECKPOINT_GROUPS, groups, 0);
      b.addOffset(Schema.CHECKPOINT_PROPERTIES, properties, 0);
      b.finish(b.endTable(), IDENTIFIER);
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
      b.addOffset(Schema.TENSOR_NAME, name, 0);
      b.addOffset(Schema.TENSOR_DIMS, dims, 0);
      b.addInt(Schema.TENSOR_TYPE, tensor.elementType().code(), 0);
      b.addOffset(Schema.TENSOR_DATA, data, 0);
      return b.endTable();
    }

    private int group(OptimizerGroup group) {
      int name = b.createString(group.name());
      int states =
          vector(
              List.copyOf(group.states().entrySet()),
              entry -> state(entry.getKey(), entry.getValue().values()));
      b.startTable(4);
      b.addOffset(Schema.GROUP_NAME, name, 0);
      b.addLong(Schema.GROUP_STEP, group.step(), 0);
      b.addFloat(Schema.GROUP_RATE, group.initialLearningRate(), 0);
      b.addOffset(Schema.GROUP_STATES, states, 0);
      return b.endTable();
    }

    private int state(String parameter, Collection<Tensor> tensors) {
      int name = b.createString(parameter);
      int content = tensors(tensors);
      b.startTable(2);
      b.addOffset(Schema.STATE_PARAMETER, name, 0);
      b.addOffset(Schema.STATE_TENSORS, content, 0);
      return b.endTable();
    }

    private int properties() {
      Map<String, Object> sorted = new TreeMap<>(checkpoint.properties());
      int longs = propertiesOf(sorted, Long.class);
      int floats = propertiesOf(sorted, Float.class);
      int strings = propertiesOf(sorted, String.class);
      b.startTable(3);
      b.addOffset(Schema.BAG_LONGS, longs, 0);
      b.addOffset(Schema.BAG_FLOATS, floats, 0);
      b.addOffset(Schema.BAG_STRINGS, strings, 0);
      return b.endTable();
    }

    private int propertiesOf(Map<String, Object> sorted, Class<?> type) {
      return vector(
          sorted.entrySet().stream().filter(e -> type.isInstance(e.getValue())).toList(),
          entry -> {
            int name = b.createString(entry.getKey());
            int text = entry.getValue() instanceof String s ? b.createString(s) : 0;
            b.startTable(2);
            b.addOffset(Schema.PROPERTY_NAME, name, 0);
            if (entry.getValue() instanceof Long value) {
              b.addLong(Schema.PROPERTY_VALUE, value, 0);
            } else if (entry.getValue() instanceof Float value) {
              b.addFloat(Schema.PROPERTY_VALUE, value, 0);
            } else {
              b.addOffset(Schema.PROPERTY_VALUE, text, 0);
            }
            return b.endTable();
          });
    }
  }
}
