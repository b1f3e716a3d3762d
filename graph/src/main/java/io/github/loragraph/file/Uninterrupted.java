package io.github.loragraph.file;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;

/**
 * Work on files that goes on where its thread is interrupted: a channel that meets an interrupt is
 * closed, which would be a failure of the file's, and a wish to stop is none. The wish is there
 * again when the work is done.
 */
public final class Uninterrupted {
  private Uninterrupted() {}

  /** Something to do with files, which may be begun anew. */
  @FunctionalInterface
  public interface Work<T> {
    T run() throws IOException;
  }

  /**
   * Does the work, and once more where an interrupt broke it.
   *
   * @throws IOException if the work does
   */
  public static <T> T run(Work<T> work) throws IOException {
    boolean interrupted = Thread.interrupted();
    try {
      while (true) {
        try {
          return work.run();
        } catch (ClosedByInterruptException e) {
          interrupted = true;
          Thread.interrupted();
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
