package io.github.loragraph.adapter;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.InputFile;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A safetensors file (Hugging Face): named tensors and a few texts. It begins with the length of a
 * header as an unsigned 64-bit number, the header is a JSON object, and the bytes of the tensors
 * follow one another to the end of the file, little-endian and row-major. Files are mapped: bytes
 * are read when a value is asked for, and never copied.
 *
 * <p>What is read has to keep every rule of the format: a header of at most {@value
 * #LONGEST_HEADER} bytes of UTF-8 that begins with a brace, no key twice, tensors without holes and
 * without overlaps, each as long as its type and shape make it, to the last byte of the file.
 */
public final class SafetensorsFile {
  /** The longest header that the format allows, in bytes. */
  static final int LONGEST_HEADER = 100_000_000;

  static final int LENGTH_BYTES = 8;

  private final Path path;
  private final Map<String, Entry> entries;
  private final Map<String, String> metadata;
  private final long data;

  /**
   * One tensor as the header has it.
   *
   * @param dtype its element type
   * @param shape its axes, row-major
   * @param start the first of its bytes, after the header
   * @param end the first that is not its own
   */
  record Entry(Dtype dtype, long[] shape, long start, long end) {
    /** The bytes that type and shape make; negative where they are no whole number of bytes. */
    long bytes() {
      long bits = dtype.bits();
      for (long size : shape) {
        bits = Math.multiplyExact(bits, size);
      }
      return bits % 8 == 0 ? bits / 8 : -1;
    }
  }

  private SafetensorsFile(Path path, SafetensorsHeader header) {
    this.path = path;
    this.entries = header.entries();
    this.metadata = Collections.unmodifiableMap(header.metadata());
    this.data = header.data();
  }

  /**
   * Reads the header of a file.
   *
   * @throws LoraGraphException if there is no such file, or it breaks a rule of the format; the
   *     message names it
   */
  public static SafetensorsFile open(Path path) {
    InputFile.requireOrdinary(path);
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      return new SafetensorsFile(path, SafetensorsHeader.read(channel));
    } catch (SafetensorsHeader.Damage e) {
      throw new LoraGraphException(
          "%s is no safetensors file, or a damaged one: %s".formatted(path, e.getMessage()), e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + path + ": " + AtomicFile.reason(e), e);
    }
  }

  /** The texts of {@code __metadata__}, in the order of the file. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /** The names of the tensors, in the order in which they lie in the file. */
  public Collection<String> names() {
    return Collections.unmodifiableSet(entries.keySet());
  }

  /**
   * The element type of a tensor.
   *
   * @throws IllegalArgumentException if there is no such tensor
   */
  public Dtype dtype(String name) {
    return entry(name).dtype;
  }

  private Entry entry(String name) {
    Entry entry = entries.get(name);
    if (entry == null) {
      throw new IllegalArgumentException("no tensor '%s' in %s".formatted(name, path));
    }
    return entry;
  }

  /**
   * All tensors, in the order in which they lie in the file, over its memory map.
   *
   * @throws LoraGraphException if one is of a type that is not read, or larger than 2 GB, or the
   *     file cannot be mapped; the message names file and tensor
   */
  public Map<String, Tensor> tensors() {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      long length = entries.values().stream().mapToLong(Entry::end).max().orElse(0);
      // One map for all where a map can be that large: each costs a system call and a page.
      ByteBuffer whole =
          length <= Integer.MAX_VALUE
              ? channel.map(FileChannel.MapMode.READ_ONLY, data, length)
              : null;
      for (Map.Entry<String, Entry> named : entries.entrySet()) {
        Entry entry = named.getValue();
        ElementType type = readable(named.getKey(), entry);
        int size = Math.toIntExact(entry.end - entry.start);
        ByteBuffer bytes =
            whole == null
                ? channel.map(FileChannel.MapMode.READ_ONLY, data + entry.start, size)
                : whole.slice(Math.toIntExact(entry.start), size);
        tensors.put(named.getKey(), Tensor.of(named.getKey(), type, bytes, entry.shape));
      }
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + path + ": " + AtomicFile.reason(e), e);
    }
    return tensors;
  }

  private ElementType readable(String name, Entry entry) {
    ElementType type = entry.dtype.elementType();
    if (type == null) {
      throw new LoraGraphException(
          "%s: tensor '%s' is of type %s, which is not read: save it in F32, F16 or BF16"
              .formatted(path, name, entry.dtype));
    }
    if (entry.end - entry.start > Integer.MAX_VALUE) {
      throw new LoraGraphException(
          "%s: tensor '%s' is larger than 2 GB, which is not supported".formatted(path, name));
    }
    for (long size : entry.shape) {
      if (size > Integer.MAX_VALUE) {
        throw new LoraGraphException(
            "%s: tensor '%s' has an axis of size %d, which is not supported"
                .formatted(path, name, size));
      }
    }
    return type;
  }

  /**
   * Writes tensors beside the place of a file, as the format's own library does: those of the
   * larger types first, then by name; the header padded with blanks to a multiple of 8, so that
   * every tensor is aligned to its type.
   *
   * @param tensors by the names that they get; their own names count for nothing
   * @param metadata texts for {@code __metadata__}; none is written where it is empty
   * @throws LoraGraphException if the file exists and may not be replaced, cannot be written, or a
   *     tensor is of a type that the format does not have
   */
  public static void stage(
      StagedFiles files, Path path, Map<String, Tensor> tensors, Map<String, String> metadata) {
    List<String> names = new ArrayList<>(tensors.keySet());
    names.sort(
        Comparator.comparing((String name) -> dtype(tensors, name))
            .reversed()
            .thenComparing(SafetensorsFile::utf8, Arrays::compareUnsigned));
    byte[] header = header(names, tensors, metadata);
    files.write(
        path,
        new AtomicFile.Body() {
          @Override
          public void writeTo(OutputStream out) throws IOException {
            ByteBuffer length = ByteBuffer.allocate(LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            out.write(length.putLong(header.length).array());
            out.write(header);
            WritableByteChannel channel = Channels.newChannel(out);
            for (String name : names) {
              ByteBuffer bytes = tensor(tensors, name).bytes();
              while (bytes.hasRemaining()) {
                channel.write(bytes);
              }
            }
          }
        });
  }

  private static Tensor tensor(Map<String, Tensor> tensors, String name) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new IllegalArgumentException("no tensor '%s'".formatted(name));
    }
    return tensor;
  }

  private static Dtype dtype(Map<String, Tensor> tensors, String name) {
    return Dtype.of(tensor(tensors, name).elementType());
  }

  private static byte[] utf8(String name) {
    return name.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] header(
      List<String> names, Map<String, Tensor> tensors, Map<String, String> metadata) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart(SafetensorsHeader.METADATA);
        for (Map.Entry<String, String> entry : metadata.entrySet()) {
          json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
      }
      long offset = 0;
      for (String name : names) {
        Tensor tensor = tensor(tensors, name);
        long end = offset + tensor.bytes().remaining();
        json.writeObjectFieldStart(name);
        json.writeStringField("dtype", Dtype.of(tensor.elementType()).name());
        json.writeFieldName("shape");
        json.writeArray(tensor.dims(), 0, tensor.rank());
        json.writeFieldName("data_offsets");
        json.writeArray(new long[] {offset, end}, 0, 2);
        json.writeEndObject();
        offset = end;
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    byte[] header = utf8(text.toString());
    byte[] padded = Arrays.copyOf(header, (header.length + 7) / 8 * 8);
    Arrays.fill(padded, header.length, padded.length, (byte) ' ');
    return padded;
  }
}
