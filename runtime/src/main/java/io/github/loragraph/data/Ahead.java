package io.github.loragraph.data;

import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a thread of its own makes, one thing after the other and few ahead of whoever takes them:
 * they come in their order, and a failure after all that was made before it. Its maker closes it.
 */
public final class Ahead<T> implements AutoCloseable {
  private final BlockingQueue<Made<T>> queue;
  private final Thread thread;
  private volatile boolean closed;

  /** Null before the last thing was taken. */
  private @Nullable Made<T> end;

  /** One thing; at the end there is none, and a failure where something went wrong. */
  private record Made<T>(@Nullable T thing, @Nullable Throwable failure) {}

  /** Makes all things, and hands over each when it is made. */
  @FunctionalInterface
  public interface Source<T> {
    void each(Consumer<T> taker);
  }

  /** Where nobody takes any more: unwinds the source. */
  private static final class Closed extends RuntimeException {
    private static final long serialVersionUID = 1;

    Closed() {
      super(null, null, false, false);
    }
  }

  /**
   * Begins.
   *
   * @param source is run on the thread
   * @param most things that are made before one is taken; the next one is being made meanwhile
   * @param name of the thread
   */
  public Ahead(Source<T> source, int most, String name) {
    queue = new ArrayBlockingQueue<>(most);
    thread = new Thread(() -> make(source), name);
    thread.setDaemon(true);
    thread.start();
  }

  private void make(Source<T> source) {
    Throwable failure = null;
    try {
      source.each(thing -> put(new Made<>(thing, null)));
    } catch (Closed e) {
      return;
    } catch (RuntimeException | Error e) {
      // Thrown in the thread that takes: without it that would wait for ever.
      failure = e;
    }
    try {
      put(new Made<>(null, failure));
    } catch (Closed e) {
      // Nobody waits for the end.
    }
  }

  private void put(Made<T> made) {
    try {
      if (closed) {
        throw new Closed();
      }
      queue.put(made);
    } catch (InterruptedException e) {
      throw new Closed();
    }
  }

  /**
   * Waits for the next thing; empty after the last one.
   *
   * @throws RuntimeException what the source failed with, after all that it made
   */
  public Optional<T> next() {
    boolean interrupted = false;
    try {
      while (end == null) {
        try {
          Made<T> made = queue.take();
          if (made.thing() != null) {
            return Optional.of(made.thing());
          }
          end = made;
        } catch (InterruptedException e) {
          // A wish to stop is heard after the wait.
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
    if (end.failure() instanceof Error e) {
      throw e;
    }
    if (end.failure() instanceof RuntimeException e) {
      throw e;
    }
    return Optional.empty();
  }

  /** Nothing more is made; what is being made may go on for a while, and is forgotten. */
  @Override
  public void close() {
    closed = true;
    queue.clear();
    thread.interrupt();
  }
}
