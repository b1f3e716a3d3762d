package io.github.loragraph.lora;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which Linears get adapters.
 *
 * @param modules those that are meant
 * @param exclude those of them that get none: PEFT's {@code exclude_modules}; null for none
 * @param layers the numbered layers in which they are to be; null for all
 */
public record TargetSelection(
    TargetModules modules, @Nullable TargetModules exclude, @Nullable LayerIndexes layers) {
  /** All of these. */
  public static TargetSelection of(TargetModules modules) {
    return new TargetSelection(modules, null, null);
  }

  /** All in whose path an expression is found. */
  public static TargetSelection found(Pattern expression) {
    return of(TargetModules.found(expression));
  }
}
