package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.OrtRuntime;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The same where ONNX Runtime's training API runs the steps. */
@Tag("training-api")
class MaskedLossByTheTrainingApiTest extends MaskedLossTest {
  @BeforeAll
  static void loadTheBuild() {
    RuntimeBuild.TRAINING.load();
  }

  @Override
  String engine() {
    return "training-api";
  }

  @Override
  OrtRuntime runtime() {
    return OrtRuntime.open(OrtRuntime.Build.TRAINING);
  }

  /** Shuffled, with dropout, and with all that the usual run has. */
  @Test
  void bothEnginesGoTheSameWay() throws IOException {
    Object[] options = {"--lr", 1e-2, "--lora-dropout", 0.1, "--mlm-probability", 0.3};
    Path run = run("training-api", options);
    Path graph = run("graph", options);
    List<JsonNode> expected = lines(graph);
    List<JsonNode> lines = lines(run);
    assertEquals(expected.size(), lines.size());
    for (int i = 0; i < lines.size(); i++) {
      assertEquals(
          expected.get(i).get("loss").asDouble(), lines.get(i).get("loss").asDouble(), 2e-5);
    }
    OnnxModel tuned = Runs.model(run);
    for (Tensor tensor : Runs.model(graph).graph().initializers().values()) {
      if (tensor.name().toLowerCase(Locale.ROOT).contains("lora")) {
        float[] numbers = tuned.graph().initializer(tensor.name()).toFloats();
        assertArrayEquals(tensor.toFloats(), numbers, 5e-4f, tensor.name());
      }
    }
  }
}
