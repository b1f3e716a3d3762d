package io.github.loragraph.error;

import java.util.Comparator;
import java.util.List;

/** Finds the words that a misspelt one may have been meant for. */
public final class Spelling {
  private static final int MOST = 3;

  private Spelling() {}

  /**
   * The known words at most a third of whose letters are off, or that have the same letters in
   * another order, nearest first.
   */
  public static List<String> nearest(String word, List<String> known) {
    return known.stream()
        .filter(
            k ->
                3 * edits(word, k) <= Math.max(word.length(), k.length())
                    || word.length() > 2 && letters(word).equals(letters(k)))
        .sorted(Comparator.comparingInt(k -> edits(word, k)))
        .limit(MOST)
        .toList();
  }

  private static List<Integer> letters(String word) {
    return word.chars().sorted().boxed().toList();
  }

  /** Levenshtein's distance: letters to put in, take out or change. */
  public static int edits(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(change, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
