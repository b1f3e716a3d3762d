package io.github.loragraph.file;

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

  private DirectMemory() {}

  /**
   * Gives a buffer's memory back, which may not be read or written after that, by its views
   * neither.
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
      throw new IllegalArgumentException("no memory that can be given back", e);
    }
  }
}
