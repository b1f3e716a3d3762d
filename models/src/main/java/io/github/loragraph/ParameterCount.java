package io.github.loragraph;

import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.onnx.OnnxModel;
import java.util.List;
import java.util.Locale;

/**
 * How many parameters a model has, as PyTorch counts them: a tied weight once.
 *
 * @param total all of them
 * @param trainable those that training changes
 */
public record ParameterCount(long total, long trainable) {
  static ParameterCount of(OnnxModel model) {
    List<Parameter> parameters = Parameters.of(model);
    return new ParameterCount(
        parameters.stream().mapToLong(Parameter::count).sum(),
        parameters.stream().filter(Parameter::trainable).mapToLong(Parameter::count).sum());
  }

  /** Both in one line. */
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
