package io.github.loragraph;

import io.github.loragraph.error.LoraGraphException;
import java.util.Objects;

/**
 * Something that is named in a text, as its label. Immutable.
 *
 * @param start where it begins in the text, in characters (code points, as Python counts; {@link
 *     String#codePointCount} makes them of an index), from 0
 * @param end where it ends, not counted in
 * @param type what it is: {@code PER}
 */
public record EntitySpan(int start, int end, String type) {
  /**
   * @throws LoraGraphException if it is empty, or begins before a text does
   */
  public EntitySpan {
    Objects.requireNonNull(type, "type");
    if (start < 0 || end <= start || type.isBlank()) {
      throw new LoraGraphException(
          "an entity from %d to %d of type '%s' is none: it has a character or more, and a type"
              .formatted(start, end, type));
    }
  }
}
