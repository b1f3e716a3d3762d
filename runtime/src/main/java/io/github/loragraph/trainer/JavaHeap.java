package io.github.loragraph.trainer;

/**
 * The Java heap of a training that is to stay below a limit. Left alone it takes what it finds
 * before it is collected, a third of its size for new objects alone, and copies of parameters make
 * it large.
 */
final class JavaHeap {
  /** What it may hold beside what is in use, in bytes. */
  static final long ROOM = 64 << 20;

  /**
   * After so many in a row it is as small as it may be: the serial collector shrinks it in steps.
   */
  private static final int COLLECTIONS = 4;

  private long live;

  JavaHeap() {
    collect();
    live = used();
  }

  private static long used() {
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  /**
   * Frees all that is not in use, and what lies outside of the heap until that is collected:
   * parameters, moments and copies of them.
   */
  static void collect() {
    for (int i = 0; i < COLLECTIONS; i++) {
      System.gc();
    }
  }

  /** Collects what is not in use where it is more than the room for it. */
  void keepSmall() {
    if (used() > live + ROOM) {
      System.gc();
      live = used();
    }
  }
}
