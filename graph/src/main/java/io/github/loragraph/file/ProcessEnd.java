package io.github.loragraph.file;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What is to be tidied up when the process ends before its time. The tasks run at an ordinary end
 * of the process; who ends it at once runs them first.
 */
public final class ProcessEnd {
  private static final Deque<Runnable> TASKS = new ArrayDeque<>();

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(ProcessEnd::runTasks, "tidy up"));
  }

  private ProcessEnd() {}

  /** Adds a task, which has to be quick and must not fail. */
  public static synchronized void add(Runnable task) {
    TASKS.push(task);
  }

  /** Takes a task back that has become needless. */
  public static synchronized void remove(Runnable task) {
    TASKS.remove(task);
  }

  /** Runs all tasks, the last that was added first, each once. */
  public static void runTasks() {
    for (Runnable task = next(); task != null; task = next()) {
      try {
        task.run();
      } catch (RuntimeException e) {
        // The process ends; the others must have their turn.
      }
    }
  }

  private static synchronized Runnable next() {
    return TASKS.poll();
  }
}
