package io.github.loragraph.error;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Makes text from files, names above all, safe to print: what a terminal could take for a command,
 * or what would show other words than there are, is written as {@code \u001b}.
 */
public final class PlainText {
  /** Longer values in quotation marks are shortened in messages. */
  private static final Pattern LONG_VALUE =
      Pattern.compile("(?<!\\w)'(?!\\s)([^']{44})[^']{12,}?([^']{12})(?<!\\s)'(?!\\w)");

  private static final String GAP = "...";

  private PlainText() {}

  /**
   * The text with control characters (C0 but for line breaks and tabs, DEL, C1) and characters that
   * turn the direction of what follows written as escapes.
   */
  public static String of(String text) {
    return escaped(text, false);
  }

  /** The same where line breaks and tabs would break a line or a column, so are written, too. */
  public static String line(String text) {
    return escaped(text, true);
  }

  private static String escaped(String text, boolean breaks) {
    int first = 0;
    while (first < text.length() && !isUnsafe(text, first, breaks)) {
      first++;
    }
    if (first == text.length()) {
      return text;
    }
    StringBuilder safe = new StringBuilder(text.length() + 16).append(text, 0, first);
    for (int i = first; i < text.length(); i++) {
      if (isUnsafe(text, i, breaks)) {
        safe.append("\\u%04x".formatted((int) text.charAt(i)));
      } else {
        safe.append(text.charAt(i));
      }
    }
    return safe.toString();
  }

  private static boolean isUnsafe(String text, int index, boolean breaks) {
    char c = text.charAt(index);
    if (c == '\n' || c == '\t') {
      return breaks;
    }
    if (c == '\r') {
      // By itself it lets what follows overwrite the line.
      return breaks || index + 1 == text.length() || text.charAt(index + 1) != '\n';
    }
    return c < ' '
        || c >= '\u007f' && c <= '\u009f'
        || c >= '\u202a' && c <= '\u202e'
        || c >= '\u2066' && c <= '\u2069'
        || breaks && (c == '\u2028' || c == '\u2029');
  }

  /**
   * The beginning of a text that may be of any length, for a message.
   *
   * @param longest number of characters; what is longer ends in dots
   */
  public static String shortened(String text, int longest) {
    return text.length() > longest ? text.substring(0, longest) + GAP : text;
  }

  /**
   * A message of one line: breaks become blanks, long values in quotation marks are shortened, and
   * what is still longer loses its middle, as a message begins with the place and ends with what to
   * do.
   *
   * @param longest number of characters
   */
  public static String message(String text, int longest) {
    String line = line(text.strip().replaceAll("\\s*\\R\\s*", " "));
    if (line.length() > longest) {
      Matcher values = LONG_VALUE.matcher(line);
      line =
          values.replaceAll(
              m -> Matcher.quoteReplacement("'" + m.group(1) + GAP + m.group(2) + "'"));
    }
    if (line.length() <= longest) {
      return line;
    }
    int end = longest / 3;
    return line.substring(0, longest - end - GAP.length())
        + GAP
        + line.substring(line.length() - end);
  }
}
