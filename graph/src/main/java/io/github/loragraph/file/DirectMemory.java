package io.github.loragraph.file;

import java.lang.ref.WeakReference;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Memory outside of the heap that is given back when nobody needs it any more. Java does that when
 * the heap is collected, and the heap hardly grows by what is not in it: several contents of files
 * would be held at once.
 */
public final class DirectMemory {
  /** What other libraries free such memory with; null where this Java has it not. */
  private static final @Nullable Object OWNER;

  private static final @Nullable Method CLEANER;

  static {
    @Nullable Object owner = null;
    @Nullable Method cleaner = null;
    try {
      Class<?> type = Class.forName("sun.misc.Unsafe");
      Field instance = type.getDeclaredField("theUnsafe");
      instance.setAccessible(true);
      owner = instance.get(null);
      cleaner = type.getMethod("invokeCleaner", ByteBuffer.class);
    } catch (ReflectiveOperationException | RuntimeException e) {
      // Then it is given back when the heap is collected.
    }
    OWNER = owner;
    CLEANER = cleaner;
  }

  /** From here on a buffer is worth a collection of the heap. */
  private static final int LARGE = 16 << 20;

  /**
   * The last large one that was made. Whether it is in use a collection of the heap tells alone.
   */
  private static WeakReference<ByteBuffer> last = new WeakReference<>(null);

  private DirectMemory() {}

  /**
   * Makes a buffer that nobody can free, since views of it are given away. Before a large one the
   * heap is collected where the one before may still lie there: else each content of a file that is
   * read in a run, a checkpoint say, would stay beside the next.
   *
   * @param bytes its size
   */
  public static synchronized ByteBuffer allocate(int bytes) {
    if (bytes < LARGE) {
      return ByteBuffer.allocateDirect(bytes);
    }
    if (last.get() != null) {
      System.gc();
    }
    ByteBuffer buffer = ByteBuffer.allocateDirect(bytes);
    last = new WeakReference<>(buffer);
    return buffer;
  }

  /**
   * Gives a buffer's memory back where this Java can: it may not be read or written after that, by
   * its views neither.
   *
   * @param buffer made by {@link ByteBuffer#allocateDirect}, and no view of one
   */
  public static void free(ByteBuffer buffer) {
    if (CLEANER == null) {
      return;
    }
    try {
      CLEANER.invoke(OWNER, buffer);
    } catch (IllegalAccessException | InvocationTargetException e) {
      // A later Java may have it and not do it: then the memory comes back with the heap, too.
    }
  }
}
