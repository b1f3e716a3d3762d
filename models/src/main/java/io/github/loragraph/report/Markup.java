package io.github.loragraph.report;

import io.github.loragraph.error.PlainText;
import java.util.Locale;

/**
 * A page that is being written. Text that it is given is escaped, whatever is in it; tags are its
 * callers' own.
 */
final class Markup {
  private final StringBuilder out = new StringBuilder();

  /** Adds tags as they are: never with something from a file in them. */
  Markup raw(String tags) {
    out.append(tags);
    return this;
  }

  /** A tag with numbers in it, whose digits are those of HTML in every language. */
  static String tag(String form, Object... values) {
    return String.format(Locale.ROOT, form, values);
  }

  /** Adds text. */
  Markup text(String text) {
    out.append(escaped(text));
    return this;
  }

  /** Adds text whose direction of writing is not to touch what stands around it. */
  Markup isolated(String text) {
    return raw("<bdi>").text(text).raw("</bdi>");
  }

  /** Adds an element with text. */
  Markup element(String tag, String text) {
    return raw("<" + tag + ">").text(text).raw("</" + tag.split(" ", 2)[0] + ">");
  }

  /**
   * Text for the content of an element or a value in quotation marks: no tag, no control character,
   * nothing that turns the direction of what follows, and no half of a pair of characters.
   */
  static String escaped(String text) {
    String plain = PlainText.of(text);
    StringBuilder safe = new StringBuilder(plain.length() + 16);
    for (int i = 0; i < plain.length(); i++) {
      char c = plain.charAt(i);
      if (Character.isSurrogate(c)) {
        if (Character.isHighSurrogate(c)
            && i + 1 < plain.length()
            && Character.isLowSurrogate(plain.charAt(i + 1))) {
          safe.append(c).append(plain.charAt(++i));
        } else {
          safe.append("\\u%04x".formatted((int) c));
        }
        continue;
      }
      switch (c) {
        case '&' -> safe.append("&amp;");
        case '<' -> safe.append("&lt;");
        case '>' -> safe.append("&gt;");
        case '"' -> safe.append("&quot;");
        case '\'' -> safe.append("&#39;");
        case '\u200e', '\u200f', '\u061c', '\ufeff', '\ufffe', '\uffff' ->
            safe.append("\\u%04x".formatted((int) c));
        default -> safe.append(c);
      }
    }
    return safe.toString();
  }

  @Override
  public String toString() {
    return out.toString();
  }
}
