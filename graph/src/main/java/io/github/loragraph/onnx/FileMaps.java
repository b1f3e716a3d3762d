package io.github.loragraph.onnx;

import io.github.loragraph.file.Uninterrupted;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The memory maps of this process: a part of a file that is read again, while something of the
 * first time is in use or not yet collected, is not mapped a second time. Each map of a large model
 * counts as memory of the process.
 */
final class FileMaps {
  private static final Map<Part, WeakReference<ByteBuffer>> MAPS = new HashMap<>();

  /**
   * @param file what the file system knows it by; it gives that to no other file while this one is
   *     mapped
   */
  private record Part(Object file, long offset, long length) {}

  /** Says which part of a file is wanted, or refuses it. */
  interface Wanted {
    /**
     * @param size of the file
     * @return offset and length
     */
    long[] of(long size);
  }

  private FileMaps() {}

  /**
   * A part of a file, from position 0.
   *
   * @throws IOException if it cannot be read
   */
  static ByteBuffer of(Path file, Wanted wanted) throws IOException {
    return Uninterrupted.run(() -> mapped(file, wanted));
  }

  private static synchronized ByteBuffer mapped(Path file, Wanted wanted) throws IOException {
    Object key = key(file);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long[] range = wanted.of(channel.size());
      // Another file may have come there meanwhile.
      Part part = key == null || !key.equals(key(file)) ? null : new Part(key, range[0], range[1]);
      WeakReference<ByteBuffer> known = part == null ? null : MAPS.get(part);
      ByteBuffer map = known == null ? null : known.get();
      if (map == null) {
        map = channel.map(FileChannel.MapMode.READ_ONLY, range[0], range[1]);
        if (part != null) {
          MAPS.values().removeIf(other -> other.get() == null);
          MAPS.put(part, new WeakReference<>(map));
        }
      }
      return map.duplicate();
    }
  }

  /** Null where the file system has none. */
  private static @Nullable Object key(Path file) throws IOException {
    return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
  }
}
