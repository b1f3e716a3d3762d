package io.github.loragraph.data;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the shapes of a model's inputs fix of its batches. The first axis of each input counts rows;
 * the second one of {@link Tokenizer#INPUTS} counts tokens.
 *
 * @param rows of every batch; 0 where the model takes any number
 * @param tokens of every row; 0 where the model takes any number
 */
public record InputSizes(int rows, int tokens) {
  /** More numbers than a buffer has room for. */
  private static final long MOST_NUMBERS = Integer.MAX_VALUE / Double.BYTES;

  /**
   * What a model's inputs fix.
   *
   * @throws LoraGraphException if no batch of rows fits the inputs; it names the input
   */
  public static InputSizes of(List<ValueInfo> inputs) {
    Map<String, String> laterAxes = new HashMap<>();
    for (ValueInfo input : inputs) {
      List<Shape.Dimension> axes = axes(input);
      for (Shape.Dimension d : axes.subList(Math.min(1, axes.size()), axes.size())) {
        if (d.symbol() != null) {
          laterAxes.putIfAbsent(d.symbol(), input.name());
        }
      }
    }
    Fixed rows = new Fixed("rows in a batch");
    Fixed tokens = new Fixed("tokens in a row");
    for (ValueInfo input : inputs) {
      TensorType type = input.type();
      if (type == null || type.shape() == null) {
        continue;
      }
      List<Shape.Dimension> axes = axes(input);
      if (axes.isEmpty()) {
        throw new LoraGraphException(
            "the model's input '%s' is one number for a whole batch, which rows of data cannot give: export the model without it, or with a default value for it"
                .formatted(input.name()));
      }
      refuseTooLarge(input);
      Shape.Dimension first = axes.get(0);
      if (first.symbol() != null && laterAxes.containsKey(first.symbol())) {
        throw new LoraGraphException(
            "the model's input '%s' %s has no axis for the rows of a batch ('%s' has %s as a later axis): export the model without it, or with a default value for it"
                .formatted(
                    input.name(), type.shape(), laterAxes.get(first.symbol()), first.symbol()));
      }
      rows.add(input, first);
      if (Tokenizer.INPUTS.contains(input.name()) && axes.size() == 2) {
        tokens.add(input, axes.get(1));
      }
    }
    return new InputSizes(rows.size, tokens.size);
  }

  private static List<Shape.Dimension> axes(ValueInfo input) {
    return input.type() == null || input.type().shape() == null
        ? List.of()
        : input.type().shape().dimensions();
  }

  private static void refuseTooLarge(ValueInfo input) {
    double numbers = 1;
    for (Shape.Dimension d : axes(input)) {
      if (d.isKnown()) {
        numbers *= d.size();
      }
    }
    if (numbers > MOST_NUMBERS) {
      throw new LoraGraphException(
          "the model's input '%s' is of shape %s, more numbers than a batch can hold: export the model again"
              .formatted(input.name(), input.requireType().shape()));
    }
  }

  /** One size that all inputs agree on. */
  private static final class Fixed {
    private final String what;

    /** The first input that fixes it; null where none does. */
    private @Nullable String by;

    private int size;

    Fixed(String what) {
      this.what = what;
    }

    void add(ValueInfo input, Shape.Dimension dimension) {
      if (!dimension.isKnown()) {
        return;
      }
      if (dimension.size() == 0) {
        throw new LoraGraphException(
            "the model's input '%s' is of shape %s, which holds nothing: export the model again"
                .formatted(input.name(), input.requireType().shape()));
      }
      if (by != null && size != dimension.size()) {
        throw new LoraGraphException(
            "the model's inputs '%s' and '%s' fix %d and %d %s, so no batch fits both: export the model with an open axis"
                .formatted(by, input.name(), size, dimension.size(), what));
      }
      by = input.name();
      size = Math.toIntExact(dimension.size());
    }
  }

  /** What the tokens of a row being fixed means for data; nothing where they are not. */
  public List<String> notes() {
    return tokens == 0
        ? List.of()
        : List.of(
            "the model takes rows of %,d tokens: shorter ones are padded, longer texts are cut"
                .formatted(tokens));
  }

  /** The batch size nearest to a wanted one. */
  public int batchSize(int wanted) {
    return rows == 0 ? wanted : rows;
  }

  /**
   * As many examples as whole batches hold.
   *
   * @param filler makes what is added, if something is
   */
  public List<Example> filled(List<Example> examples, Supplier<Example> filler) {
    int missing = rows == 0 ? 0 : (rows - examples.size() % rows) % rows;
    if (missing == 0) {
      return examples;
    }
    List<Example> added = Collections.nCopies(missing, filler.get());
    if (examples instanceof StoredExamples stored) {
      return stored.with(added);
    }
    List<Example> all = new ArrayList<>(examples);
    all.addAll(added);
    return all;
  }
}
