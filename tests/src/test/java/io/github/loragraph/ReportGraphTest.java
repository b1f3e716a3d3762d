package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The graphs that once failed are there with their weights. */
class ReportGraphTest {
  @Test
  void all() {
    assertEquals(36, ReportGraph.cases().size());
  }

  @ParameterizedTest
  @MethodSource("io.github.loragraph.ReportGraph#cases")
  void weightsAreThereAndTheSameEachTime(String name) throws IOException {
    ModelProto model = ReportGraph.proto(name);
    assertEquals(model, ReportGraph.proto(name));
    model
        .getGraph()
        .getInitializerList()
        .forEach(
            tensor ->
                assertTrue(
                    !tensor.getRawData().isEmpty() || tensor.getFloatDataCount() > 0,
                    tensor.getName()));
  }
}
