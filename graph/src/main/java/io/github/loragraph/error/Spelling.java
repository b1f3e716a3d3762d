package io.github.loragraph.error;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** Finds the words that a misspelt one may have been meant for. */
public final class Spelling {
  private static final int MOST = 3;
  private static final int BEGINNING = 4;

  private Spelling() {}

  /**
   * The known words at most a third of whose letters are off, or that have the same letters in
   * another order, nearest first. Where there are none, those that begin alike for half of their
   * letters ({@code pruner}, {@code pruning}) or end with the word ({@code f1}, {@code macroF1}).
   */
  public static List<String> nearest(String word, List<String> known) {
    List<String> misspelt =
        known.stream()
            .filter(
                k ->
                    3 * edits(word, k) <= Math.max(word.length(), k.length())
                        || word.length() > 2 && letters(word).equals(letters(k)))
            .sorted(Comparator.comparingInt(k -> edits(word, k)))
            .limit(MOST)
            .toList();
    return misspelt.isEmpty()
        ? known.stream()
            .filter(k -> beginAlike(word, k) || word.length() > 1 && endsWith(k, word))
            .sorted(Comparator.comparingInt(k -> edits(word, k)))
            .limit(MOST)
            .toList()
        : misspelt;
  }

  /** What a message proposes for an unknown word: {@code rank or ranks?}, else all known ones. */
  public static String proposal(String word, List<String> known) {
    List<String> near = nearest(word, known);
    return near.isEmpty() ? String.join(", ", known) : String.join(" or ", near) + "?";
  }

  private static boolean beginAlike(String word, String known) {
    int alike = 0;
    while (alike < Math.min(word.length(), known.length())
        && word.charAt(alike) == known.charAt(alike)) {
      alike++;
    }
    return alike >= BEGINNING && 2 * alike >= Math.max(word.length(), known.length());
  }

  private static boolean endsWith(String known, String word) {
    return known.toLowerCase(Locale.ROOT).endsWith(word.toLowerCase(Locale.ROOT));
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
