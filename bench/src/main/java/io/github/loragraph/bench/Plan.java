package io.github.loragraph.bench;

import io.github.loragraph.check.ReferenceModel;
import io.github.loragraph.lora.Method;
import java.util.ArrayList;
import java.util.List;

/**
 * The settings that are measured where none is named.
 *
 * @param settings in this order
 */
record Plan(List<Setting> settings) {
  /** Batch size and length. */
  record Size(int batch, int sequence) {
    static Size parse(String text) {
      int by = text.indexOf('x');
      return new Size(
          Integer.parseInt(text.substring(0, by)), Integer.parseInt(text.substring(by + 1)));
    }
  }

  Plan {
    settings = List.copyOf(settings);
  }

  /** Small enough to be run with every change. */
  static Plan small() {
    return all(
        List.of(ReferenceModel.MINILM),
        List.of(Method.LORA, Method.FULL),
        List.of(new Size(8, 32)),
        List.of(1));
  }

  /**
   * RoBERTa-base at the size that is compared most, by all methods, and how MiniLM's cost grows.
   */
  static Plan whole() {
    Size usual = new Size(8, 64);
    List<Setting> settings = new ArrayList<>();
    List<ReferenceModel> roberta = List.of(ReferenceModel.ROBERTA_BASE);
    settings.addAll(all(roberta, List.of(Method.LORA), List.of(usual), List.of(1, 2)).settings);
    settings.addAll(
        all(roberta, List.of(Method.FULL, Method.HEAD), List.of(usual), List.of(2)).settings);
    List<Size> sizes =
        List.of(
            new Size(1, 64),
            new Size(8, 32),
            usual,
            new Size(8, 128),
            new Size(8, 256),
            new Size(8, 512),
            new Size(32, 128),
            new Size(64, 128));
    settings.addAll(
        all(List.of(ReferenceModel.MINILM), List.of(Method.LORA), sizes, List.of(2)).settings);
    return new Plan(settings);
  }

  /** Each of the one with each of the others. */
  static Plan all(
      List<ReferenceModel> models, List<Method> methods, List<Size> sizes, List<Integer> threads) {
    List<Setting> settings = new ArrayList<>();
    for (ReferenceModel model : models) {
      for (Method method : methods) {
        for (Size size : sizes) {
          for (int count : threads) {
            settings.add(new Setting(model, method, size.batch(), size.sequence(), count));
          }
        }
      }
    }
    return new Plan(settings);
  }
}
