package io.github.loragraph.error;

import java.util.Arrays;
import java.util.List;

/**
 * A remedy for one failure, as data: a program that offers it in words of its own (options,
 * buttons) makes them of these parts, see {@link LoraGraphException#message}.
 *
 * @param arguments what the remedy's words name, in the order of its constant
 */
public record Advice(Remedy remedy, List<String> arguments) {
  public Advice {
    arguments = List.copyOf(arguments);
  }

  static Advice of(Remedy remedy, Object... arguments) {
    return new Advice(remedy, Arrays.stream(arguments).map(Object::toString).toList());
  }

  /** The words for a Java user, which name no option of any program. */
  @Override
  public String toString() {
    return remedy.words().formatted(arguments.toArray());
  }
}
