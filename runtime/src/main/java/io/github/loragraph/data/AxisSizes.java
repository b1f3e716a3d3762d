package io.github.loragraph.data;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.Shape;
import java.util.HashMap;
import java.util.Map;

/**
 * The sizes of one row's axes: those that the model gives one name must be one number, and those of
 * tokens, whatever their names.
 */
final class AxisSizes {
  private final Row row;
  private final Map<String, Integer> bySymbol = new HashMap<>();
  private final Map<String, String> firstBySymbol = new HashMap<>();

  AxisSizes(Row row) {
    this.row = row;
  }

  void check(String input, Shape.Dimension declared, int size) {
    boolean tokens = Tokenizer.INPUTS.contains(input);
    if (declared.isKnown() && (tokens ? size > declared.size() : size != declared.size())) {
      throw new LoraGraphException(
          "%s: '%s' has %d entries where the model takes %d"
              .formatted(row.place(), input, size, declared.size()));
    }
    if (tokens) {
      compare("", input, size);
    }
    if (!declared.isKnown() && declared.symbol() != null) {
      compare(declared.symbol(), input, size);
    }
  }

  private void compare(String symbol, String input, int size) {
    Integer known = bySymbol.putIfAbsent(symbol, size);
    String first = firstBySymbol.putIfAbsent(symbol, input);
    if (known != null && known != size) {
      throw new LoraGraphException(
          "%s: '%s' has %d entries and '%s' has %d: they must have as many"
              .formatted(row.place(), input, size, first, known));
    }
  }
}
