package io.github.loragraph.engine;

/** Times what is called a few times: other processes can only slow a call down. */
public final class FastestCall {
  private FastestCall() {}

  /**
   * The time of the fastest call, after one to warm up.
   *
   * @param measured the calls that count
   * @return seconds
   */
  public static double seconds(int measured, Runnable call) {
    call.run();
    double best = Double.POSITIVE_INFINITY;
    for (int i = 0; i < measured; i++) {
      long begin = System.nanoTime();
      call.run();
      best = Math.min(best, (System.nanoTime() - begin) / 1e9);
    }
    return best;
  }
}
