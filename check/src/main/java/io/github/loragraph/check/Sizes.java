package io.github.loragraph.check;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How much is measured.
 *
 * @param steps at least, of each figure
 * @param matrix rows and columns of the product that the matrix rate is measured with
 * @param products of it in a measurement
 */
record Sizes(
    List<String> fixtures,
    List<ReferenceModel> models,
    int batch,
    int sequence,
    int steps,
    List<Integer> stepsPerCall,
    List<Precision> precisions,
    int matrix,
    int products) {
  static Sizes of(CheckedDevice device, boolean quick) {
    List<Precision> precisions =
        device.isCpu() ? List.of(Precision.FP32) : List.of(Precision.values());
    if (quick) {
      return new Sizes(
          List.of("tiny-roberta", "tiny-bert"),
          List.of(ReferenceModel.MINILM),
          2,
          16,
          2,
          List.of(1),
          precisions,
          device.isCpu() ? 1024 : 2048,
          8);
    }
    return new Sizes(
        Oracle.FIXTURES,
        List.of(ReferenceModel.values()),
        device.isCpu() ? 2 : 32,
        device.isCpu() ? 32 : 128,
        device.isCpu() ? 5 : 20,
        device.isCpu() ? List.of(1, 8) : List.of(1, 8, 32),
        precisions,
        device.isCpu() ? 1024 : 8192,
        device.isCpu() ? 16 : 400);
  }

  /** With less of two things, where that is not null. */
  Sizes withOnly(
      @Nullable List<Precision> somePrecisions, @Nullable List<Integer> someStepsPerCall) {
    return new Sizes(
        fixtures,
        models,
        batch,
        sequence,
        steps,
        someStepsPerCall == null ? stepsPerCall : someStepsPerCall,
        somePrecisions == null ? precisions : somePrecisions,
        matrix,
        products);
  }

  /** The size at which the comparison with PyTorch is a requirement. */
  boolean isRequired() {
    return batch == 32 && sequence == 128;
  }
}
