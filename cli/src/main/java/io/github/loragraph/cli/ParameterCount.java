package io.github.loragraph.cli;

import io.github.loragraph.lora.Parameter;
import java.util.List;
import java.util.Locale;

/**
 * How many parameters a model has.
 *
 * @param total all of them
 * @param trainable those that training changes
 */
record ParameterCount(long total, long trainable) {
  static ParameterCount of(List<Parameter> parameters) {
    return new ParameterCount(
        parameters.stream().mapToLong(Parameter::count).sum(),
        parameters.stream().filter(Parameter::trainable).mapToLong(Parameter::count).sum());
  }

  /** The line that every command prints. */
  @Override
  public String toString() {
    double percent = total == 0 ? 0 : 100.0 * trainable / total;
    return String.format(
        Locale.ROOT,
        "Total parameters: %,d, thereof learnable: %,d (%.4f%%)",
        total,
        trainable,
        percent);
  }
}
