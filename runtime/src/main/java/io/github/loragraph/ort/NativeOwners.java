package io.github.loragraph.ort;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What holds native memory until somebody closes it: sessions, tensors and tokenizers, each told of
 * by whoever makes it. While nobody watches, nothing is kept. Memory maps and direct buffers are
 * the garbage collector's, and not counted.
 */
public final class NativeOwners {
  private static volatile @Nullable Watch watch;

  private NativeOwners() {}

  /**
   * Tells of something that was made.
   *
   * @param kind what it is, for a message
   * @param isClosed asked at the end of a watch
   */
  public static void made(String kind, BooleanSupplier isClosed) {
    Watch current = watch;
    if (current != null) {
      current.owners.add(new Owner(kind, isClosed, new Throwable(kind)));
    }
  }

  private record Owner(String kind, BooleanSupplier isClosed, Throwable origin) {
    /** The kind and the first places outside of this package where it was made. */
    @Override
    public String toString() {
      List<String> places = new ArrayList<>();
      for (StackTraceElement place : origin.getStackTrace()) {
        if (places.size() < 4 && !place.getClassName().equals(NativeOwners.class.getName())) {
          places.add(place.toString());
        }
      }
      return kind + " made at " + String.join(" < ", places);
    }
  }

  /**
   * Watches from now on, in the whole process, until it is closed. It holds on to what is made, so
   * that nothing is forgotten since it was collected.
   */
  static Watch watch() {
    Watch started = new Watch();
    watch = started;
    return started;
  }

  /** What was made in its time. */
  static final class Watch implements AutoCloseable {
    private final Queue<Owner> owners = new ConcurrentLinkedQueue<>();

    private Watch() {}

    /** How many were made. */
    int made() {
      return owners.size();
    }

    /** Those that nobody has closed, each with where it was made. */
    List<String> open() {
      return owners.stream()
          .filter(owner -> !owner.isClosed.getAsBoolean())
          .map(Owner::toString)
          .toList();
    }

    @Override
    public void close() {
      watch = null;
    }
  }
}
