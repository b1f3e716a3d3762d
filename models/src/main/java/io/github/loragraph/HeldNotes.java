package io.github.loragraph;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Hands notes on when some work is over, in the thread that did it: whoever hears of one may close
 * what is at work, and would else wait for itself.
 */
final class HeldNotes implements Consumer<String> {
  private final Consumer<String> notes;

  /** Null while no work of the thread holds notes back. */
  @SuppressWarnings("ThreadLocalUsage") // Each has its own work, and is as short-lived as it.
  private final ThreadLocal<@Nullable List<String>> held = new ThreadLocal<>();

  HeldNotes(Consumer<String> notes) {
    this.notes = notes;
  }

  @Override
  public void accept(String line) {
    List<String> lines = held.get();
    if (lines == null) {
      notes.accept(line);
    } else {
      lines.add(line);
    }
  }

  /** Does some work, and hands its notes on after it. */
  <T> T during(Supplier<T> work) {
    if (held.get() != null) {
      return work.get();
    }
    List<String> lines = new ArrayList<>();
    held.set(lines);
    try {
      return work.get();
    } finally {
      held.remove();
      lines.forEach(notes);
    }
  }

  /**
   * Does some work on a thread that is not the program's.
   *
   * @param lines get its notes, for the program's thread to hand on
   */
  void aside(List<String> lines, Runnable work) {
    held.set(lines);
    try {
      work.run();
    } finally {
      held.remove();
    }
  }
}
