package io.github.loragraph.data;

import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Makes tokens of the rows of a store on a thread of its own, while others are trained on already:
 * first of those that somebody waits for, then of those that were planned, then of all others. Its
 * maker closes it, before what it encodes with is closed.
 */
final class AheadEncoder implements AutoCloseable {
  private static final int AT_ONCE = 1024;

  private final ExampleStore store;
  private final MappedFile texts;
  private final ExampleEncoder encoder;
  private final IntFunction<String> places;
  private final Runnable whenWhole;
  private final Thread thread;
  private final Deque<int[]> urgent = new ArrayDeque<>();
  private Iterator<int[]> plan = Collections.emptyIterator();
  private int left;
  private int cursor;
  private boolean stopped;
  private @Nullable Throwable failure;

  /** Set when all that was written can be read without a lock. */
  private volatile boolean whole;

  /**
   * @param places of rows, for messages
   * @param whenWhole is run by its thread when all rows are encoded
   */
  AheadEncoder(
      ExampleStore store,
      MappedFile texts,
      ExampleEncoder encoder,
      IntFunction<String> places,
      Runnable whenWhole) {
    this.store = store;
    this.texts = texts;
    this.encoder = encoder;
    this.places = places;
    this.whenWhole = whenWhole;
    this.left = store.rows();
    this.thread = new Thread(this::run, "lora-graph tokens");
    thread.setDaemon(true);
    thread.start();
  }

  boolean isWhole() {
    return whole;
  }

  /** What is to be encoded next, in the place of what was planned before; rows may come again. */
  synchronized void plan(Iterator<int[]> rows) {
    plan = rows;
  }

  /**
   * Waits until rows are encoded, which come before all others.
   *
   * @throws LoraGraphException if one cannot be; it names the line
   */
  void require(int... rows) {
    if (whole) {
      return;
    }
    synchronized (this) {
      if (!areEncoded(rows)) {
        urgent.add(rows);
        await(() -> areEncoded(rows));
      }
    }
  }

  /** Waits until all rows are encoded. */
  void requireAll() {
    if (!whole) {
      synchronized (this) {
        await(() -> whole);
      }
    }
  }

  private boolean areEncoded(int[] rows) {
    return Arrays.stream(rows).allMatch(store::isEncoded);
  }

  /** A wish to stop the waiting thread is heard after the wait, which is short. */
  private void await(BooleanSupplier condition) {
    boolean interrupted = false;
    while (!condition.getAsBoolean()) {
      if (failure instanceof LoraGraphException e) {
        throw e;
      }
      if (failure instanceof Error e) {
        throw e;
      }
      if (failure != null || stopped) {
        throw new IllegalStateException("the rows are not encoded", failure);
      }
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    try {
      for (int[] rows = next(); rows != null; rows = next()) {
        for (int from = 0; from < rows.length && !isStopped(); from += AT_ONCE) {
          encode(Arrays.copyOfRange(rows, from, Math.min(rows.length, from + AT_ONCE)));
        }
      }
    } catch (RuntimeException | Error e) {
      synchronized (this) {
        failure = e;
        notifyAll();
      }
    }
  }

  private synchronized boolean isStopped() {
    return stopped;
  }

  /** Null when there is nothing left to do. */
  private int @Nullable [] next() {
    synchronized (this) {
      if (stopped) {
        return null;
      }
      int[] first = urgent.poll();
      if (first != null) {
        return first;
      }
      if (left > 0) {
        return plan.hasNext() ? plan.next() : others();
      }
    }
    whenWhole.run();
    synchronized (this) {
      whole = true;
      notifyAll();
    }
    return null;
  }

  private int[] others() {
    int[] rows = new int[AT_ONCE];
    int count = 0;
    for (; count < rows.length && cursor < store.rows(); cursor++) {
      if (!store.isEncoded(cursor)) {
        rows[count++] = cursor;
      }
    }
    return Arrays.copyOf(rows, count);
  }

  private void encode(int[] numbers) {
    int[] missing =
        Arrays.stream(numbers).filter(row -> !store.isEncoded(row)).distinct().toArray();
    List<Row> rows = new ArrayList<>(missing.length);
    for (int row : missing) {
      rows.add(store.row(row, texts, places.apply(row)));
    }
    List<Example> examples = encoder.withoutLabels(rows);
    synchronized (this) {
      for (int i = 0; i < missing.length; i++) {
        store.encode(missing[i], examples.get(i));
      }
      left -= missing.length;
      notifyAll();
    }
  }

  /** How many texts were cut; of all when they are encoded. */
  int cut() {
    return encoder.cut();
  }

  /** Stops before all is done, if it is not. */
  @Override
  public void close() {
    synchronized (this) {
      stopped = true;
      notifyAll();
    }
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
