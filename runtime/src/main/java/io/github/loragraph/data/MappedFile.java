package io.github.loragraph.data;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.Uninterrupted;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.zip.CRC32C;

/**
 * A file that is read and written as memory, little-endian, and grows by parts: of 64 kB at first,
 * each twice as large as the one before, up to 64 MB. A number that is aligned to its size lies in
 * one part, and so does what {@link #room} gives. One thread makes the file larger; any may read
 * what was handed to it by that one.
 */
final class MappedFile {
  private static final int FIRST_BITS = 16;
  private static final int LAST_BITS = 26;
  private static final int DOUBLED = LAST_BITS - FIRST_BITS;
  private static final ByteBuffer NOTHING = ByteBuffer.allocateDirect(1 << 16).asReadOnlyBuffer();

  private final Path file;
  private final List<MappedByteBuffer> parts = new CopyOnWriteArrayList<>();
  private long size;

  private MappedFile(Path file, long size) {
    this.file = file;
    this.size = size;
  }

  /** A new file without content, over what is there. */
  static MappedFile create(Path file) {
    return new MappedFile(file, 0);
  }

  /**
   * A file that was written so, to read.
   *
   * @param size of its content
   * @throws IOException if it cannot be read, or is shorter
   */
  static MappedFile open(Path file, long size) throws IOException {
    MappedFile mapped = new MappedFile(file, size);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      for (int part = 0; begin(part) < size; part++) {
        long length = Math.min(begin(part + 1), size) - begin(part);
        if (channel.size() < begin(part) + length) {
          throw new IOException(file + " is cut short");
        }
        MappedByteBuffer buffer = channel.map(FileChannel.MapMode.READ_ONLY, begin(part), length);
        buffer.order(ByteOrder.LITTLE_ENDIAN);
        mapped.parts.add(buffer);
      }
    }
    return mapped;
  }

  /** Where a part begins in the file. */
  private static long begin(int part) {
    return part <= DOUBLED
        ? ((1L << part) - 1) << FIRST_BITS
        : (((1L << DOUBLED) - 1) << FIRST_BITS) + ((long) (part - DOUBLED) << LAST_BITS);
  }

  private static int partOf(long at) {
    long first = (at >> FIRST_BITS) + 1;
    int part = 63 - Long.numberOfLeadingZeros(first);
    return part < DOUBLED ? part : DOUBLED + (int) ((at - begin(DOUBLED)) >> LAST_BITS);
  }

  /** The bytes of its content. */
  long size() {
    return size;
  }

  /**
   * Makes room behind the content.
   *
   * @param bytes at most 64 MB
   * @param alignment of the place, a power of two
   * @return where it begins
   * @throws LoraGraphException if the disk has no room
   */
  long room(int bytes, int alignment) {
    long at = (size + alignment - 1) & -alignment;
    while (at + bytes > begin(partOf(at) + 1)) {
      at = begin(partOf(at) + 1);
    }
    while (begin(parts.size()) < at + bytes) {
      grow();
    }
    size = at + bytes;
    return at;
  }

  /**
   * Makes the content so large.
   *
   * @throws LoraGraphException if the disk has no room
   */
  void reach(long bytes) {
    while (begin(parts.size()) < bytes) {
      grow();
    }
    size = Math.max(size, bytes);
  }

  private void grow() {
    long begin = begin(parts.size());
    long length = begin(parts.size() + 1) - begin;
    try {
      MappedByteBuffer part =
          Uninterrupted.run(
              () -> {
                try (FileChannel channel =
                    FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE)) {
                  // Written, not only mapped: a full disk shows here and not as a broken memory.
                  for (long at = begin; at < begin + length; ) {
                    at += channel.write(NOTHING.duplicate(), at);
                  }
                  return channel.map(FileChannel.MapMode.READ_WRITE, begin, length);
                }
              });
      part.order(ByteOrder.LITTLE_ENDIAN);
      parts.add(part);
    } catch (IOException e) {
      throw new LoraGraphException("cannot write to " + file + ": " + AtomicFile.reason(e), e);
    }
  }

  private MappedByteBuffer part(long at) {
    return parts.get(partOf(at));
  }

  private static int within(long at) {
    return (int) (at - begin(partOf(at)));
  }

  int getInt(long at) {
    return part(at).getInt(within(at));
  }

  void putInt(long at, int value) {
    part(at).putInt(within(at), value);
  }

  /** Eight bytes at a multiple of four: they may lie in two parts. */
  long getLong(long at) {
    return getInt(at) & 0xffffffffL | (long) getInt(at + 4) << 32;
  }

  /** Eight bytes at a multiple of four. */
  void putLong(long at, long value) {
    putInt(at, (int) value);
    putInt(at + 4, (int) (value >> 32));
  }

  /** What {@link #room} gave, or the beginning of it. */
  ByteBuffer bytes(long at, int count) {
    ByteBuffer part = part(at).duplicate();
    part.position(within(at)).limit(within(at) + count);
    return part.slice().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Of the content, by which damage shows. */
  long checksum() {
    CRC32C checksum = new CRC32C();
    for (int i = 0; i < parts.size() && begin(i) < size; i++) {
      ByteBuffer part = parts.get(i).duplicate();
      part.position(0).limit((int) (Math.min(begin(i + 1), size) - begin(i)));
      checksum.update(part);
    }
    return checksum.getValue();
  }
}
