package io.github.loragraph.artifacts;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.DirectMemory;
import io.github.loragraph.file.FlatTable;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.file.Uninterrupted;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes checkpoint files: FlatBuffers with the identifier {@code ODTC}, by ONNX
 * Runtime's schema of version 2. Vectors that ONNX Runtime searches are sorted by name. What is
 * written here ends with a checksum, which is checked when it is read; a file that ONNX Runtime
 * saved has none.
 */
public final class CheckpointFile {
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
      return new CheckpointReader(content.order(ByteOrder.LITTLE_ENDIAN)).checkpoint();
    } catch (IndexOutOfBoundsException | IllegalArgumentException | ArithmeticException e) {
      throw refused(file, "an offset points outside it (%s)".formatted(advice), e);
    } catch (FlatTable.Damage e) {
      throw refused(file, "%s (%s)".formatted(e.getMessage(), advice), e);
    } catch (LoraGraphException e) {
      throw refused(file, e.getMessage(), e);
    }
  }

  private static LoraGraphException refused(
      Path file, @Nullable String reason, @Nullable Exception cause) {
    return new LoraGraphException(
        "%s is no checkpoint of ONNX Runtime's training API: %s".formatted(file, reason), cause);
  }

  @FunctionalInterface
  private interface Access {
    ByteBuffer to(FileChannel channel) throws IOException;
  }

  private static ByteBuffer content(Path file, Access access) {
    if (!Files.isRegularFile(file)) {
      throw new LoraGraphException("no such checkpoint: " + file);
    }
    try {
      return Uninterrupted.run(
          () -> {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
              if (channel.size() > Integer.MAX_VALUE) {
                throw refused(file, "it is larger than 2 GiB", null);
              }
              return access.to(channel);
            }
          });
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }

  /** Outside of the heap, which need not be as large as the parameters. */
  private static ByteBuffer copied(FileChannel channel) throws IOException {
    ByteBuffer bytes = DirectMemory.allocate(Math.toIntExact(channel.size()));
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
    try (StagedFiles files = new StagedFiles(AtomicFile.folderOf(file), replace)) {
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
    try (CheckpointWriter writer = new CheckpointWriter(checkpoint, file)) {
      ByteBuffer bytes = writer.bytes();
      ByteBuffer trailer = CheckpointTrailer.of(bytes);
      files.write(
          file,
          out -> {
            WritableByteChannel channel = Channels.newChannel(out);
            for (ByteBuffer part : List.of(bytes.duplicate(), trailer.duplicate())) {
              while (part.hasRemaining()) {
                channel.write(part);
              }
            }
          });
    }
  }

  /** The memory that writing a checkpoint takes beside what it consists of, in bytes. */
  public static long size(Checkpoint checkpoint) {
    return CheckpointWriter.size(checkpoint);
  }
}
