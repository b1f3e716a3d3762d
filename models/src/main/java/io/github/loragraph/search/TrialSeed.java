package io.github.loragraph.search;

import java.util.Random;

/** A trial's own random numbers, by the search's seed and the trial's number alone. */
final class TrialSeed {
  private TrialSeed() {}

  static Random random(long seed, int trial) {
    return new Random(mixed(mixed(seed) + trial));
  }

  /** The finalizer of SplitMix64 (Steele, Lea and Flood 2014): neighbouring seeds part. */
  private static long mixed(long value) {
    long z = value + 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
