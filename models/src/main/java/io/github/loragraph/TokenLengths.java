package io.github.loragraph;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.StoredExamples;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How many tokens examples have, as a histogram.
 *
 * @param width of a bin, in tokens
 * @param counts of the bins, the first from 0
 * @param every of so many examples one was counted
 */
record TokenLengths(int width, long[] counts, int shortest, int median, int longest, int every) {
  private static final int MOST_BINS = 64;

  /** Of more examples than these not all are counted: it is asked before the first step. */
  private static final int MOST_COUNTED = 200_000;

  static TokenLengths of(List<Example> examples) {
    int every = (examples.size() + MOST_COUNTED - 1) / MOST_COUNTED;
    every = Math.max(1, every);
    int[] lengths = new int[(examples.size() + every - 1) / every];
    for (int i = 0; i < lengths.length; i++) {
      lengths[i] = StoredExamples.length(examples, i * every);
    }
    Arrays.sort(lengths);
    int longest = lengths.length == 0 ? 0 : lengths[lengths.length - 1];
    int width = 1;
    while (longest / width >= MOST_BINS) {
      width *= 2;
    }
    long[] counts = new long[longest / width + 1];
    for (int length : lengths) {
      counts[length / width]++;
    }
    return new TokenLengths(
        width,
        counts,
        lengths.length == 0 ? 0 : lengths[0],
        lengths.length == 0 ? 0 : lengths[lengths.length / 2],
        longest,
        every);
  }

  Map<String, Object> asMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("width", width);
    map.put("counts", counts);
    map.put("shortest", shortest);
    map.put("median", median);
    map.put("longest", longest);
    if (every > 1) {
      map.put("countedEvery", every);
    }
    return map;
  }
}
