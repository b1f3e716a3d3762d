package io.github.loragraph.bench;

import io.github.loragraph.lora.Linear;
import io.github.loragraph.lora.LinearFinder;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.lora.WeightLayout;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * What libtorch needs of a model file: what the encoder is, and the weights as PyTorch has them.
 *
 * @param weights by their names without the model's own ({@code roberta.})
 */
record EncoderFile(OnnxModel model, Encoder encoder, Map<String, Weight> weights) {
  private static final String ROBERTA = "roberta.";

  /**
   * A weight.
   *
   * @param turned whether rows and columns are swapped in the tensor
   */
  record Weight(Tensor tensor, boolean turned) {
    /** As PyTorch has them. */
    long[] dims() {
      return turned ? new long[] {tensor.dim(1), tensor.dim(0)} : tensor.dims();
    }

    /** The numbers in little-endian order, copied where they lie otherwise. */
    ByteBuffer data() {
      ByteBuffer source = tensor.bytes();
      if (!turned) {
        return source;
      }
      int rows = Math.toIntExact(tensor.dim(0));
      int columns = Math.toIntExact(tensor.dim(1));
      ByteBuffer target =
          ByteBuffer.allocate(rows * columns * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      for (int column = 0; column < columns; column++) {
        for (int row = 0; row < rows; row++) {
          target.putFloat(source.getFloat((row * columns + column) * Float.BYTES));
        }
      }
      return target.flip();
    }
  }

  /**
   * Reads.
   *
   * @param file beside its {@code config.json}
   */
  static EncoderFile read(Path file) {
    OnnxModel model = OnnxFile.read(file);
    Map<String, Linear> linears =
        LinearFinder.find(model.graph()).stream()
            .collect(Collectors.toMap(Linear::weightName, linear -> linear));
    Map<String, Weight> weights = new LinkedHashMap<>();
    for (Parameter parameter : Parameters.of(model)) {
      Linear linear = linears.get(parameter.name());
      boolean turned = linear != null && linear.layout() == WeightLayout.IN_OUT;
      Tensor tensor = Objects.requireNonNull(model.graph().constant(parameter.initializer()));
      weights.put(name(parameter.name()), new Weight(tensor, turned));
    }
    return new EncoderFile(model, Encoder.of(file, weights.keySet()), weights);
  }

  private static String name(String parameter) {
    return parameter.startsWith(ROBERTA) ? parameter.substring(ROBERTA.length()) : parameter;
  }
}
