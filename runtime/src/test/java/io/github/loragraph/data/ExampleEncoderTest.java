package io.github.loragraph.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.task.Tasks;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class ExampleEncoderTest {
  private static final String OTHER_LABELS =
      ": mend the label, or put a head for these labels on the model";

  private static final LabelSet LABELS = new LabelSet(List.of("neg", "pos", "7"));
  private static final ValueInfo IDS = input("input_ids", ElementType.INT64, "batch", "sequence");
  private static final ValueInfo MASK =
      input("attention_mask", ElementType.INT64, "batch", "sequence");
  private static final ValueInfo TYPES =
      input("token_type_ids", ElementType.INT64, "batch", "sequence");

  @Test
  void onlyTheModelsInputsAreMade() throws Exception {
    Row row = new Row("a a", null, "pos", Map.of(), "f:2");
    try (Tokenizer tokenizer = Tokenizer.read(TokenizerTest.tiny(), 16)) {
      Example example =
          Tasks.CLASSIFICATION.encode(encoder(tokenizer, IDS, MASK), List.of(row), LABELS).get(0);
      assertEquals(
          Map.of("input_ids", Values.of(0, 31, 31, 2), "attention_mask", Values.ones(4)),
          example.inputs());
      assertEquals(1, example.label());
      assertEquals(4, example.length());
      example = encoder(tokenizer, IDS, TYPES).withoutLabels(List.of(row)).get(0);
      assertEquals(
          Map.of("input_ids", Values.of(0, 31, 31, 2), "token_type_ids", Values.zeros(4)),
          example.inputs());
      assertEquals(null, example.target());
    }
  }

  @Test
  void cutTextsAreCounted() throws Exception {
    try (Tokenizer tokenizer = Tokenizer.read(TokenizerTest.tiny(), 4)) {
      ExampleEncoder encoder = encoder(tokenizer, IDS);
      encoder.withoutLabels(
          List.of(
              new Row("a a a a a", null, null, Map.of(), "f:1"),
              new Row("a", null, null, Map.of(), "f:2")));
      assertEquals(1, encoder.cut());
    }
  }

  @Test
  void aLabelIsANameOrElseANumber() {
    assertEquals(Values.scalar(1), classOf("pos"));
    assertEquals(Values.scalar(1), classOf("1"));
    assertEquals(Values.scalar(2), classOf("7"));
    assertFails(
        "f:9 has the label 'positive', which the model's head does not know; it knows neg, pos, 7"
            + OTHER_LABELS,
        () -> classOf("positive"));
    assertFails(
        "f:9 has the label '3', which the model's head does not know; it knows neg, pos, 7"
            + OTHER_LABELS,
        () -> classOf("3"));
    assertFails(
        "f:9 has the label '-1', which the model's head does not know; it knows neg, pos, 7"
            + OTHER_LABELS,
        () -> classOf("-1"));
    assertFails(
        "f:9 has no label: mend the example, or name the column or field of labels",
        () -> classOf(null));
  }

  @Test
  void otherTargets() {
    ExampleEncoder encoder = encoder(null, IDS);
    assertEquals(
        Values.scalar(-2.5f),
        Tasks.REGRESSION.encode(encoder, rows("-2.5"), LABELS).get(0).target());
    assertFails(
        "f:9 has the label 'high', which is no number as a regression needs",
        () -> Tasks.REGRESSION.encode(encoder, rows("high"), LABELS));
    for (String label : List.of("pos,7", "[\"7\",\"pos\"]", "[0,1,1]", "0,1,1", "[1,2]")) {
      assertEquals(
          Values.of(0f, 1f, 1f),
          Tasks.MULTILABEL.encode(encoder, rows(label), LABELS).get(0).target(),
          label);
    }
    assertEquals(
        Values.of(0f, 0f, 0f),
        Tasks.MULTILABEL.encode(encoder, rows("[]"), LABELS).get(0).target());
    for (String label : List.of("[0,1,1,0]", "[0,0]", "1,1", "[1.0,0,0,1]")) {
      assertFails(
          "f:9 has the label '%s' of %d numbers, and the model has 3 classes: give 0 or 1 for each, or the names of those that apply"
              .formatted(label, label.split(",").length),
          () -> Tasks.MULTILABEL.encode(encoder, rows(label), LABELS));
    }
    assertFails(
        "f:9 has the label 1e30, whose squared error is beyond float32: mend it, or take smaller units",
        () -> Tasks.REGRESSION.encode(encoder, rows("1e30"), LABELS));
    assertFails(
        "f:9 has the label 'x', which the model's head does not know; it knows neg, pos, 7"
            + OTHER_LABELS,
        () -> Tasks.MULTILABEL.encode(encoder, rows("pos,x"), LABELS));
    assertEquals(
        Values.of(-100, 1, -100),
        Tasks.TOKEN_CLASSIFICATION
            .encode(encoder, rows("[-100,\"pos\",-100]"), LABELS)
            .get(0)
            .target());
    assertFails(
        "f:9 has 2 labels for 3 tokens: give one each",
        () -> Tasks.TOKEN_CLASSIFICATION.encode(encoder, rows("[0,0]"), LABELS));
    assertFails(
        "f:9 has the label 'pos', which is no JSON array of names or numbers",
        () -> Tasks.TOKEN_CLASSIFICATION.encode(encoder, rows("pos"), LABELS));
  }

  @Test
  void masksThatAreLeftOutAreMade() {
    Example example =
        encoder(null, IDS, MASK, TYPES)
            .withoutLabels(rows(Map.of("input_ids", Values.of(5, 6))))
            .get(0);
    assertEquals(Values.ones(2), example.inputs().get("attention_mask"));
    assertEquals(Values.zeros(2), example.inputs().get("token_type_ids"));
  }

  @Test
  void givenNumbersMustFitTheModel() {
    assertGivenFails(
        "f:9 has 'input_id', which is no input of the model; its inputs are: input_ids",
        Map.of("input_id", Values.of(5)),
        IDS);
    assertGivenFails(
        "f:9 has no 'age', which the model takes: its inputs are: input_ids, age",
        Map.of("input_ids", Values.of(5)),
        IDS,
        input("age", ElementType.FLOAT, "batch"));
    assertGivenFails(
        "f:9: 'input_ids' has fractions where the model takes INT64",
        Map.of("input_ids", Values.of(1.5f)),
        IDS);
    assertGivenFails(
        "f:9: 'input_ids' has 2 axes where the model takes 1 for each example",
        Map.of("input_ids", Values.shaped(new int[4], 2, 2)),
        IDS);
    assertGivenFails(
        "f:9: 'attention_mask' has 1 entries and 'input_ids' has 2: they must have as many",
        Map.of("input_ids", Values.of(5, 5), "attention_mask", Values.of(1)),
        IDS,
        MASK);
    assertGivenFails(
        "f:9: 'position_ids' has 1 entries and 'input_ids' has 2: they must have as many",
        Map.of("input_ids", Values.of(5, 5), "position_ids", Values.of(1)),
        IDS,
        input("position_ids", ElementType.INT64, "batch", "sequence"));
    assertGivenFails(
        "f:9: 'features' has 2 entries where the model takes 3",
        Map.of("features", Values.of(1f, 2f)),
        ValueInfo.of("features", TensorType.of(ElementType.FLOAT, -1, 3)));
    assertGivenFails(
        "f:9: 'input_ids' has the negative number -1", Map.of("input_ids", Values.of(5, -1)), IDS);
    assertGivenFails(
        "f:9: 'input_ids' is empty: mend the row, or leave it out",
        Map.of("input_ids", Values.of(new int[0])),
        IDS);
    assertGivenFails(
        "f:9 has 17 tokens where the maximum is 16: cut it, or allow more tokens",
        Map.of("input_ids", Values.zeros(17)),
        IDS);
    Example example =
        encoder(null, input("age", ElementType.FLOAT, "batch"))
            .withoutLabels(rows(Map.of("age", Values.of(7))))
            .get(0);
    assertEquals(0, example.inputs().get("age").rank());
  }

  @Test
  void inputsThatNoDataCanGive() {
    assertFails(
        "the model's input 'x' is of type STRING, which data files cannot give",
        () -> encoder(null, input("x", ElementType.STRING, "batch")));
    assertFails(
        "the model's input 'x' cannot be made from text: give tokens with all inputs of the model instead of text",
        () ->
            encoder(null, IDS, input("x", ElementType.FLOAT, "batch"))
                .withoutLabels(List.of(new Row("a", null, null, Map.of(), "f:1"))));
    assertFails(
        "f:2 mixes single texts and pairs: split the data",
        () ->
            encoder(null, IDS)
                .withoutLabels(
                    List.of(
                        new Row("a", null, null, Map.of(), "f:1"),
                        new Row("a", "b", null, Map.of(), "f:2"))));
  }

  private static Values classOf(String label) {
    return Tasks.CLASSIFICATION.encode(encoder(null, IDS), rows(label), LABELS).get(0).target();
  }

  private static List<Row> rows(String label) {
    return List.of(new Row(null, null, label, Map.of("input_ids", Values.of(0, 5, 2)), "f:9"));
  }

  private static List<Row> rows(Map<String, Values> values) {
    return List.of(new Row(null, null, null, values, "f:9"));
  }

  private static ExampleEncoder encoder(Tokenizer tokenizer, ValueInfo... inputs) {
    return new ExampleEncoder(List.of(inputs), () -> tokenizer, 16);
  }

  private static ValueInfo input(String name, ElementType type, String... symbols) {
    return ValueInfo.of(
        name,
        new TensorType(
            type, new Shape(List.of(symbols).stream().map(Shape.Dimension::named).toList())));
  }

  private static void assertGivenFails(
      String message, Map<String, Values> values, ValueInfo... inputs) {
    assertFails(message, () -> encoder(null, inputs).withoutLabels(rows(values)));
  }

  private static void assertFails(String message, Executable code) {
    assertEquals(message, assertThrows(LoraGraphException.class, code).getMessage());
  }
}
