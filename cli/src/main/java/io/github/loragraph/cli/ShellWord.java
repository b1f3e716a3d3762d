package io.github.loragraph.cli;

import java.util.regex.Pattern;

/** Writes what a message gives to be typed so that a shell takes it as one word. */
public final class ShellWord {
  private static final Pattern PLAIN =
      Pattern.compile("[\\p{L}\\p{N}_@%+=:,./][\\p{L}\\p{N}_@%+=:,./-]*");

  private ShellWord() {}

  /** A path or another text as a word; in quotes where it needs some. */
  public static String of(Object text) {
    String word = text.toString();
    return PLAIN.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}
