package io.github.loragraph.file;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;

/** Ends this process, or fails, before one of the changes that {@link StagedFiles} makes. */
public final class Interruption {
  /** The exit code of a process that was ended. */
  public static final int KILLED = 137;

  private Interruption() {}

  /** Ends the process at once, as a kill does, before the change of this number, from 1 on. */
  public static void killBefore(int number) {
    AtomicInteger count = new AtomicInteger();
    FolderChanges.observe(
        change -> {
          if (count.incrementAndGet() == number) {
            Runtime.getRuntime().halt(KILLED);
          }
        });
  }

  /** Lets the change of this number fail, as a full disk does. */
  public static void failBefore(int number) {
    AtomicInteger count = new AtomicInteger();
    FolderChanges.observe(
        change -> {
          if (count.incrementAndGet() == number) {
            throw new IOException("No space left on device");
          }
        });
  }

  public static void never() {
    FolderChanges.observe(change -> {});
  }
}
