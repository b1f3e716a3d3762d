package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.data.EmbeddingTables;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.Values;
import io.github.loragraph.evaluation.Predictor;
import io.github.loragraph.fixtures.Fixtures;
import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a graph tells of its tables is what ONNX Runtime finds there. */
class EmbeddingTablesTest {
  @Test
  void theLastRowAndTheLastPositionAreThere() {
    for (String name : List.of("tiny-roberta", "tiny-bert", "tiny-xlm-roberta")) {
      holds(name, OnnxFile.read(Fixtures.file(name + "/model.onnx")));
    }
    for (String export : Export.files()) {
      if (!export.startsWith("rmsnorm")) {
        holds(export, new Export(export).model());
      }
    }
    holds("reference", new ReferenceArchitecture(32, 2, 2, 64, 40, 40, 2).model(0));
  }

  private static void holds(String name, OnnxModel model) {
    EmbeddingTables tables = EmbeddingTables.of(model.graph());
    assertTrue(tables.rows().containsKey("input_ids"), name);
    int rows = tables.rows().get("input_ids");
    assertTrue(tables.positions().isPresent(), name);
    int longest = tables.positions().getAsInt();
    try (Predictor predictor =
        new Predictor(model, 1, new Sessions(OrtRuntime.ofThisProcess(), 1))) {
      assertDoesNotThrow(() -> predictor.logits(example(model, longest, rows - 1)), name);
      assertThrows(
          RuntimeException.class,
          () -> predictor.logits(example(model, longest + 1, rows - 1)),
          name);
      assertThrows(
          RuntimeException.class, () -> predictor.logits(example(model, longest, rows)), name);
    }
  }

  private static List<Example> example(OnnxModel model, int length, int token) {
    int[] ids = new int[length];
    Arrays.fill(ids, 5);
    ids[length - 1] = token;
    Map<String, Values> inputs = new HashMap<>();
    for (ValueInfo input : model.graph().requiredInputs()) {
      inputs.put(
          input.name(),
          switch (input.name()) {
            case "input_ids" -> Values.of(ids);
            case "attention_mask" -> Values.ones(length);
            default -> Values.zeros(length);
          });
    }
    return List.of(new Example(inputs, null));
  }
}
