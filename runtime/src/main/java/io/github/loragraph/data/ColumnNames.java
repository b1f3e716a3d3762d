package io.github.loragraph.data;

import io.github.loragraph.error.Advice;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.error.Spelling;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Finds columns or fields by their names; that they match but for case is said. */
public final class ColumnNames {
  private static final Pattern NUMBER = Pattern.compile("[-+]?[0-9]+(?:[.][0-9]+)?");

  /** Of a column's name. */
  private static final int MOST_WORDS = 3;

  private ColumnNames() {}

  /**
   * The first of the candidates that is there, else the first that is there but for upper and lower
   * case.
   *
   * @param notices gets a line where the case differs
   * @return null where none is there
   * @throws LoraGraphException if there are several that match but for case
   */
  public static @Nullable String find(
      List<String> names, List<String> candidates, String place, NoticesOnce notices) {
    for (String candidate : candidates) {
      if (names.contains(candidate)) {
        return candidate;
      }
    }
    for (String candidate : candidates) {
      List<String> alike = names.stream().filter(candidate::equalsIgnoreCase).toList();
      if (alike.size() > 1) {
        throw new LoraGraphException(
            "%s has no column '%s', but several that match in other case: %s (name one of them)"
                .formatted(place, candidate, DataFile.shortened(alike)));
      }
      if (alike.size() == 1) {
        notices.tell(place, ": column '%s' is taken for '%s'".formatted(alike.get(0), candidate));
        return alike.get(0);
      }
    }
    return null;
  }

  /**
   * That a table has no such column, with a near name where it was asked for by its own, else with
   * what to do: a heading is asked for where the first line looks like a row.
   *
   * @param what the message without that
   * @param candidates the names that it may have; one where it was asked for
   * @param role text, text pair or label
   */
  static LoraGraphException missing(
      String what, List<String> candidates, List<String> names, String role) {
    boolean isRow = names.stream().anyMatch(ColumnNames::isOfRow);
    return missing(
        what,
        candidates,
        names,
        (isRow ? Remedy.NAME_COLUMN_OR_HEADING : Remedy.NAME_COLUMN).with(role));
  }

  /**
   * The same of anything that has names.
   *
   * @param otherwise what to do where no name is near
   */
  static LoraGraphException missing(
      String what, List<String> candidates, List<String> names, Advice otherwise) {
    List<String> near =
        candidates.size() == 1 ? Spelling.nearest(candidates.get(0), names) : List.of();
    return near.isEmpty()
        ? new LoraGraphException(what, otherwise)
        : new LoraGraphException(
            what
                + ": "
                + near.stream().map(DataFile::printable).collect(Collectors.joining(" or "))
                + "?");
  }

  /** Whether a cell is what columns are not called: nothing, a number, or a sentence. */
  private static boolean isOfRow(String cell) {
    return cell.isBlank()
        || NUMBER.matcher(cell).matches()
        || cell.split("\\s+").length > MOST_WORDS;
  }

  /**
   * Refuses one column in two places: a label that is text, too, would be learned from itself.
   *
   * @param textPair null where there is none, as is {@code label}
   * @throws LoraGraphException if two of them are the same
   */
  static void refuseTwoRoles(
      @Nullable String text, @Nullable String textPair, @Nullable String label, String place) {
    String twice =
        text != null && (text.equals(textPair) || text.equals(label))
            ? text
            : textPair != null && textPair.equals(label) ? label : null;
    if (twice != null) {
      throw new LoraGraphException(
          "%s: column '%s' is taken for two of text, second text and label"
              .formatted(place, DataFile.shortened(List.of(twice))),
          Remedy.NAME_OTHER_COLUMNS);
    }
  }
}
