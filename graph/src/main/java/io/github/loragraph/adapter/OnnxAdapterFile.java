package io.github.loragraph.adapter;

import com.google.flatbuffers.FlatBufferBuilder;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.FlatTable;
import io.github.loragraph.file.InputFile;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.file.Uninterrupted;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes {@code .onnx_adapter} files: FlatBuffers with the identifier {@code TORT}, by
 * ONNX Runtime's schema of adapters of version 1. ONNX Runtime points its tensors into the file and
 * looks at neither their lengths nor whether two have one name; both is done here. Any bytes may be
 * read.
 */
public final class OnnxAdapterFile {
  /** Stands after the root's offset. */
  private static final String IDENTIFIER = "TORT";

  /** The one version that ONNX Runtime reads. */
  private static final int VERSION = 1;

  /** The fields of the tables by their slots, in the order of ONNX Runtime's schema. */
  private static final int ADAPTER_FORMAT = 0;

  private static final int ADAPTER_VERSION = 1;
  private static final int MODEL_VERSION = 2;
  private static final int PARAMETERS = 3;
  private static final int NAME = 0;
  private static final int DIMS = 1;
  private static final int TYPE = 2;
  private static final int DATA = 3;

  /** Offsets in FlatBuffers have 31 bits. */
  private static final long LARGEST = Integer.MAX_VALUE - (1 << 20);

  /** The root's offset and the identifier. */
  private static final int SMALLEST = 8;

  /** What tensors are aligned to, as the schema has it. */
  private static final int ALIGNMENT = 8;

  /** More than the table of a parameter takes, without its name, dimensions and data. */
  private static final long OVERHEAD = 64;

  private OnnxAdapterFile() {}

  /**
   * Reads an adapter. Its tensors are in memory outside of the heap: the file may be replaced or
   * deleted afterwards.
   *
   * @throws LoraGraphException if the file cannot be read, is no adapter, or is damaged
   */
  public static OnnxAdapter read(Path file) {
    InputFile.requireOrdinary(file);
    try {
      return parse(file.toString(), Uninterrupted.run(() -> content(file)));
    } catch (NoSuchFileException e) {
      throw new LoraGraphException("no such adapter: " + file, e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }

  private static ByteBuffer content(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      if (channel.size() > Integer.MAX_VALUE) {
        throw refused(file.toString(), "it is larger than 2 GiB", null);
      }
      if (channel.size() < SMALLEST) {
        throw refused(file.toString(), "it has %d bytes".formatted(channel.size()), null);
      }
      byte[] begin = new byte[SMALLEST];
      ByteBuffer first = ByteBuffer.wrap(begin);
      while (first.hasRemaining() && channel.read(first, first.position()) >= 0) {
        // Read on.
      }
      // Before memory is taken for a file of another kind, which may be of any size.
      requireIdentifier(file.toString(), ByteBuffer.wrap(begin));
      ByteBuffer bytes = ByteBuffer.allocateDirect(Math.toIntExact(channel.size()));
      while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
        // Read on.
      }
      return bytes.flip();
    }
  }

  /**
   * Reads an adapter out of memory, whose content the tensors are.
   *
   * @param name of the adapter, for messages
   * @throws LoraGraphException if it is none, or damaged
   */
  public static OnnxAdapter parse(String name, ByteBuffer bytes) {
    try {
      return new Reading(name, bytes.slice().order(ByteOrder.LITTLE_ENDIAN)).adapter();
    } catch (IndexOutOfBoundsException | IllegalArgumentException | ArithmeticException e) {
      throw refused(name, "an offset points outside it (copy or export it again)", e);
    } catch (FlatTable.Damage e) {
      throw refused(name, e.getMessage() + " (copy or export it again)", e);
    }
  }

  private static void requireIdentifier(String name, ByteBuffer bytes) {
    byte[] identifier = new byte[IDENTIFIER.length()];
    bytes.get(4, identifier);
    if (!new String(identifier, StandardCharsets.ISO_8859_1).equals(IDENTIFIER)) {
      throw refused(name, "it does not have the identifier " + IDENTIFIER, null);
    }
  }

  private static LoraGraphException refused(
      String name, @Nullable String reason, @Nullable Exception cause) {
    return new LoraGraphException(
        "%s is no adapter of ONNX Runtime: %s".formatted(name, reason), cause);
  }

  /** One file that is read. */
  private static final class Reading {
    private final String file;
    private final ByteBuffer bytes;

    Reading(String file, ByteBuffer bytes) {
      this.file = file;
      this.bytes = bytes;
    }

    OnnxAdapter adapter() {
      if (bytes.capacity() < SMALLEST) {
        throw new FlatTable.Damage("it has %d bytes".formatted(bytes.capacity()));
      }
      requireIdentifier(file, bytes);
      FlatTable root = new FlatTable(bytes.getInt(0), bytes);
      int version = root.integer(ADAPTER_FORMAT);
      if (version != VERSION) {
        throw refused(
            file, "it is of version %d, and version %d is read".formatted(version, VERSION), null);
      }
      Map<String, Tensor> parameters = new LinkedHashMap<>();
      FlatTable.Budget budget = new FlatTable.Budget(bytes.capacity() / 4);
      for (FlatTable fields : root.tables(PARAMETERS, budget)) {
        Tensor tensor = tensor(fields);
        if (parameters.put(tensor.name(), tensor) != null) {
          throw refused(file, "two parameters are named '%s'".formatted(tensor.name()), null);
        }
      }
      if (parameters.isEmpty()) {
        throw refused(file, "it has no parameters", null);
      }
      return new OnnxAdapter(
          root.integer(ADAPTER_VERSION), root.integer(MODEL_VERSION), parameters);
    }

    private Tensor tensor(FlatTable fields) {
      String name = fields.string(NAME, "a parameter");
      if (name.isEmpty()) {
        throw new FlatTable.Damage("a parameter has an empty name");
      }
      ElementType type = ElementType.of(fields.integer(TYPE));
      if (type.bytes() == 0) {
        throw refused(
            file,
            "'%s' is of type %d, which is not read".formatted(name, fields.integer(TYPE)),
            null);
      }
      ByteBuffer sizes = fields.bytes(DIMS, Long.BYTES);
      long[] dims = new long[sizes == null ? 0 : sizes.remaining() / Long.BYTES];
      long needed = type.bytes();
      for (int i = 0; i < dims.length; i++) {
        dims[i] = Objects.requireNonNull(sizes).getLong();
        if (dims[i] < 0 || dims[i] > Integer.MAX_VALUE) {
          throw new FlatTable.Damage("'%s' has an axis of size %d".formatted(name, dims[i]));
        }
        try {
          needed = Math.multiplyExact(needed, dims[i]);
        } catch (ArithmeticException e) {
          throw new FlatTable.Damage("'%s' has more entries than can be counted".formatted(name));
        }
      }
      ByteBuffer data = fields.bytes(DATA, 1);
      int given = data == null ? 0 : data.remaining();
      if (given != needed) {
        throw new FlatTable.Damage(
            "'%s' needs %,d bytes and has %,d".formatted(name, needed, given));
      }
      return Tensor.of(name, type, data == null ? ByteBuffer.allocate(0) : data, dims);
    }
  }

  /**
   * Writes an adapter whole or not at all.
   *
   * @throws LoraGraphException if the file exists and may not be replaced, cannot be written, or
   *     would be larger than FlatBuffers can be
   */
  public static void write(OnnxAdapter adapter, Path file, boolean replace) {
    AtomicFile.checkTarget(file, replace);
    try (StagedFiles files = new StagedFiles(AtomicFile.folderOf(file), replace)) {
      stage(adapter, file, files);
      files.commit();
    }
  }

  /**
   * Puts an adapter among files that appear together.
   *
   * @param files of the adapter's folder
   * @throws LoraGraphException as {@link #write} does
   */
  public static void stage(OnnxAdapter adapter, Path file, StagedFiles files) {
    ByteBuffer bytes = LoraGraphException.in(file, () -> bytes(adapter));
    files.write(
        file,
        out -> {
          WritableByteChannel channel = Channels.newChannel(out);
          ByteBuffer rest = bytes.duplicate();
          while (rest.hasRemaining()) {
            channel.write(rest);
          }
        });
  }

  /**
   * An adapter as a file has it; outside of the heap.
   *
   * @throws LoraGraphException if it has no parameters, one of a type that no adapter can have, or
   *     is larger than FlatBuffers can be
   */
  public static ByteBuffer bytes(OnnxAdapter adapter) {
    if (adapter.parameters().isEmpty()) {
      throw new LoraGraphException("an adapter without parameters cannot be written");
    }
    long size = 1 << 10;
    for (Map.Entry<String, Tensor> entry : adapter.parameters().entrySet()) {
      Tensor tensor = entry.getValue();
      if (tensor.elementType().bytes() == 0) {
        throw new LoraGraphException(
            "'%s' is of type %s, which no adapter can have"
                .formatted(entry.getKey(), tensor.elementType()));
      }
      size += tensor.bytes().remaining() + 4L * entry.getKey().length() + 8L * tensor.rank();
      size += OVERHEAD;
    }
    if (size > LARGEST) {
      throw new LoraGraphException(
          "the adapter would be larger than 2 GiB (%,d bytes), which no file of ONNX Runtime's format can be: train fewer parameters, or merge it"
              .formatted(size));
    }
    FlatBufferBuilder b = new FlatBufferBuilder((int) size, new Direct());
    int[] tables =
        adapter.parameters().entrySet().stream()
            .mapToInt(entry -> parameter(b, entry.getKey(), entry.getValue()))
            .toArray();
    int parameters = b.createVectorOfTables(tables);
    b.startTable(4);
    // What equals a default is left out, and ONNX Runtime takes that for version 0.
    b.forceDefaults(true);
    b.addInt(ADAPTER_FORMAT, VERSION, 0);
    b.addInt(ADAPTER_VERSION, adapter.adapterVersion(), 0);
    b.addInt(MODEL_VERSION, adapter.modelVersion(), 0);
    b.addOffset(PARAMETERS, parameters, 0);
    b.finish(b.endTable(), IDENTIFIER);
    return b.dataBuffer();
  }

  private static int parameter(FlatBufferBuilder b, String name, Tensor tensor) {
    int nameAt = b.createString(name);
    long[] sizes = tensor.dims();
    b.startVector(Long.BYTES, sizes.length, Long.BYTES);
    for (int i = sizes.length - 1; i >= 0; i--) {
      b.addLong(sizes[i]);
    }
    int dims = b.endVector();
    ByteBuffer content = tensor.bytes();
    // Aligned, not only long enough: ONNX Runtime's tensors point into the file.
    b.createUnintializedVector(1, content.remaining(), ALIGNMENT).put(content);
    int data = b.endVector();
    b.startTable(4);
    b.addOffset(NAME, nameAt, 0);
    b.addOffset(DIMS, dims, 0);
    b.addInt(TYPE, tensor.elementType().code(), 0);
    b.addOffset(DATA, data, 0);
    return b.endTable();
  }

  /** Outside of the heap, which need not be as large as the parameters. */
  private static final class Direct extends FlatBufferBuilder.ByteBufferFactory {
    @Override
    public ByteBuffer newByteBuffer(int capacity) {
      return ByteBuffer.allocateDirect(capacity).order(ByteOrder.LITTLE_ENDIAN);
    }
  }
}
