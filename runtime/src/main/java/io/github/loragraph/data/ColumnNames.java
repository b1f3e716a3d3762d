package io.github.loragraph.data;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Finds columns or fields by their names; that they match but for case is said. */
public final class ColumnNames {
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
