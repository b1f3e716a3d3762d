package io.github.loragraph.bench;

import io.github.loragraph.check.ReferenceModel;
import io.github.loragraph.lora.Method;
import java.nio.file.Path;

/**
 * What a step is measured of.
 *
 * @param batch examples in a step
 * @param sequence tokens of an example
 * @param threads that compute one operator
 */
record Setting(ReferenceModel model, Method method, int batch, int sequence, int threads) {
  /** The model's file. Only LoRA finds adapters in it: the other methods would train them, too. */
  Path file(Path models) {
    Path adapted = models.resolve(model.file());
    return method == Method.LORA ? adapted : adapted.resolveSibling("model.onnx");
  }

  /** Examples and tokens as tables have them. */
  String size() {
    return "%d x %d".formatted(batch, sequence);
  }

  @Override
  public String toString() {
    return "%s, %s, %s, threads %d".formatted(model.label(), method, size(), threads);
  }
}
