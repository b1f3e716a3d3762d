package io.github.loragraph.data;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.onnx.ValueInfo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/** Makes examples for a model out of rows of a data file. */
public final class ExampleEncoder {
  private static final String MASK = "attention_mask";
  private static final String TYPES = "token_type_ids";

  private final List<String> inputs;
  private final Supplier<Tokenizer> tokenizer;
  private final int maxLength;

  /**
   * @param inputs the model's inputs
   * @param tokenizer asked for only if the rows are text
   * @param maxLength no row may be longer
   */
  public ExampleEncoder(List<ValueInfo> inputs, Supplier<Tokenizer> tokenizer, int maxLength) {
    this.inputs = inputs.stream().map(ValueInfo::name).toList();
    this.tokenizer = tokenizer;
    this.maxLength = maxLength;
  }

  /**
   * Encodes rows with class labels.
   *
   * @throws LoraGraphException if a row has no label, one that is no class, or does not fit the
   *     model; it names the line
   */
  public List<Example> withClasses(List<Row> rows, LabelSet labels) {
    List<Map<String, double[]>> encoded = encode(rows);
    List<Example> examples = new ArrayList<>(rows.size());
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      requireLabel(row);
      int label = labels.indexOf(row.label());
      if (label < 0) {
        throw new LoraGraphException(
            "%s has the label '%s', which the model's head does not know; it knows: %s"
                .formatted(row.place(), row.label(), labels));
      }
      examples.add(new Example(encoded.get(i), label));
    }
    return examples;
  }

  /** Encodes rows whose labels are numbers to predict. */
  public List<Example> withNumbers(List<Row> rows) {
    List<Map<String, double[]>> encoded = encode(rows);
    List<Example> examples = new ArrayList<>(rows.size());
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      requireLabel(row);
      double number;
      try {
        number = Double.parseDouble(row.label());
      } catch (NumberFormatException e) {
        number = Double.NaN;
      }
      if (!Double.isFinite(number)) {
        throw new LoraGraphException(
            "%s has the label '%s', which is no number as a regression needs"
                .formatted(row.place(), row.label()));
      }
      examples.add(new Example(encoded.get(i), number));
    }
    return examples;
  }

  /** Encodes rows without looking at labels. */
  public List<Example> withoutLabels(List<Row> rows) {
    return encode(rows).stream().map(inputs -> new Example(inputs, Double.NaN)).toList();
  }

  private static void requireLabel(Row row) {
    if (row.label() == null || row.label().isEmpty()) {
      throw new LoraGraphException(
          row.place()
              + " has no label: mend the line, or name the column or field with --label-column");
    }
  }

  private List<Map<String, double[]>> encode(List<Row> rows) {
    boolean text = rows.get(0).isText();
    for (Row row : rows) {
      if (row.isText() != text) {
        throw new LoraGraphException(
            row.place() + " mixes text and pre-tokenized rows in one file: split it");
      }
      if ((row.textPair() == null) != (rows.get(0).textPair() == null)) {
        throw new LoraGraphException(
            row.place() + " mixes single texts and pairs in one file: split it");
      }
    }
    return text ? encodeText(rows) : rows.stream().map(this::given).toList();
  }

  private List<Map<String, double[]>> encodeText(List<Row> rows) {
    for (String input : inputs) {
      if (!Tokenizer.INPUTS.contains(input)) {
        throw new LoraGraphException(
            "the model's input '%s' cannot be made from text: give it in pre-tokenized JSON lines"
                .formatted(input));
      }
    }
    List<String> pairs =
        rows.get(0).textPair() == null ? null : rows.stream().map(Row::textPair).toList();
    List<Map<String, double[]>> encoded =
        tokenizer.get().encode(rows.stream().map(Row::text).toList(), pairs);
    encoded.forEach(row -> row.keySet().retainAll(Set.copyOf(inputs)));
    return encoded;
  }

  private Map<String, double[]> given(Row row) {
    for (String name : row.values().keySet()) {
      if (!inputs.contains(name) && !Tokenizer.INPUTS.contains(name)) {
        throw new LoraGraphException(
            "%s has '%s', which is no input of the model; its inputs are: %s"
                .formatted(row.place(), name, String.join(", ", inputs)));
      }
    }
    Map<String, double[]> values = new LinkedHashMap<>();
    int length = row.values().values().stream().mapToInt(v -> v.length).max().orElse(0);
    if (length > maxLength) {
      throw new LoraGraphException(
          "%s has %d tokens where the maximum is %d: cut it, or raise --max-length"
              .formatted(row.place(), length, maxLength));
    }
    for (String input : inputs) {
      double[] given = row.values().get(input);
      if (given == null && input.equals(MASK)) {
        given = new double[length];
        Arrays.fill(given, 1);
      } else if (given == null && input.equals(TYPES)) {
        given = new double[length];
      } else if (given == null) {
        throw new LoraGraphException(
            "%s has no '%s', which the model takes: its inputs are: %s"
                .formatted(row.place(), input, String.join(", ", inputs)));
      }
      values.put(input, given);
    }
    return values;
  }
}
