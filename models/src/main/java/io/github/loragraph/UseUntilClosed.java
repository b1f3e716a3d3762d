package io.github.loragraph;

import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/**
 * What any number of threads use at once until one of them closes it: closing waits for those that
 * are at work, and nobody begins after it.
 */
final class UseUntilClosed {
  private final ReadWriteLock use = new ReentrantReadWriteLock();
  private final String what;

  /** Written by whoever holds the write lock, read by whoever holds one of both. */
  private boolean closed;

  /**
   * @param what in the words of a message: {@code the predictor}
   */
  UseUntilClosed(String what) {
    this.what = what;
  }

  /**
   * Does some work with it.
   *
   * @throws IllegalStateException if it is closed
   */
  <T> T whileOpen(Supplier<T> work) {
    use.readLock().lock();
    try {
      if (closed) {
        throw new IllegalStateException(what + " is closed");
      }
      return work.get();
    } finally {
      use.readLock().unlock();
    }
  }

  /** Closes it when nobody is at work; a second time does nothing. */
  void close(Runnable closing) {
    use.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        closing.run();
      }
    } finally {
      use.writeLock().unlock();
    }
  }
}
