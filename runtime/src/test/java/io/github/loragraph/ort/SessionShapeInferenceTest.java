package io.github.loragraph.ort;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.fixtures.Fixtures;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.shape.ValueTypes;
import java.util.List;
import org.junit.jupiter.api.Test;

class SessionShapeInferenceTest {
  private final SessionShapeInference inference =
      new SessionShapeInference(OrtRuntime.ofThisProcess());

  @Test
  void typesOfAnExportedModel() {
    OnnxModel model = OnnxFile.read(Fixtures.file("tiny-roberta/model.onnx"));
    int nodes = model.graph().nodes().size();
    ValueTypes types = inference.infer(model);
    for (Node node : model.graph().nodes()) {
      for (String output : node.outputs()) {
        assertNotNull(types.get(output), output);
        assertNotNull(types.get(output).shape(), output);
      }
    }
    assertEquals(2, types.get("logits").shape().dimension(1).size());
    assertEquals("[batch,sequence]", types.get("input_ids").shape().toString());
    assertEquals(ElementType.INT64, types.get("input_ids").elementType());
    Tensor table = model.graph().initializer("roberta.embeddings.word_embeddings.weight");
    assertEquals(table.type(), types.get(table.name()));
    String embedded = model.graph().consumers(table.name()).get(0).output(0);
    assertEquals("[batch,sequence,32]", types.get(embedded).shape().toString());

    assertEquals(nodes, model.graph().nodes().size(), "the model is as it was");
    assertEquals(1, model.graph().outputs().size());
    assertNotNull(model.graph().initializer(table.name()));
  }

  @Test
  void scalarsAreToldFromUnknownRanks() {
    Graph graph = new Graph();
    graph.addInput(ValueInfo.of("x", symbolic("batch")));
    graph.addInput(ValueInfo.of("sizes", new TensorType(ElementType.INT64, shape("rank"))));
    graph.putInitializer(Tensor.ofFloats("large", new float[1000], 1000));
    graph.putInitializer(Tensor.scalar("zero", ElementType.INT64, 0));
    graph.add(Node.of("sum", "ReduceSum", List.of("x"), List.of("total")).with("keepdims", 0));
    graph.add(Node.of("one", "Gather", List.of("large", "zero"), List.of("first")));
    graph.add(Node.of("open", "Expand", List.of("x", "sizes"), List.of("anything")));
    graph.add(Node.of("drop", "Dropout", List.of("x"), List.of("kept", "")));
    graph.addOutput(ValueInfo.of("total", TensorType.of(ElementType.FLOAT)));
    ValueTypes types = inference.infer(OnnxModel.of("scalars", graph, 8, 17));
    assertEquals(TensorType.of(ElementType.FLOAT), types.get("total"));
    assertEquals(TensorType.of(ElementType.FLOAT), types.get("first"));
    assertEquals(TensorType.of(ElementType.INT64), types.get("zero"));
    assertEquals(TensorType.of(ElementType.FLOAT, 1000), types.get("large"));
    assertEquals("[batch]", types.get("kept").shape().toString());
    assertEquals(ElementType.FLOAT, types.get("anything").elementType());
    assertNull(types.get("anything").shape());
    assertNull(types.get(""));
  }

  @Test
  void anInconsistentModelIsRefusedInOneLine() {
    Graph graph = new Graph();
    graph.addInput(ValueInfo.of("x", TensorType.of(ElementType.FLOAT, 2, 3)));
    graph.putInitializer(Tensor.ofFloats("w", new float[8], 4, 2));
    graph.add(Node.of("product", "MatMul", List.of("x", "w"), List.of("y")));
    graph.addOutput(ValueInfo.of("y", TensorType.of(ElementType.FLOAT, 2, 2)));
    OnnxModel model = OnnxModel.of("inconsistent", graph, 8, 17);
    LoraGraphException e = assertThrows(LoraGraphException.class, () -> inference.infer(model));
    assertEquals(1, e.getMessage().lines().count(), e.getMessage());
    assertTrue(e.getMessage().contains("product"), e.getMessage());
  }

  private static TensorType symbolic(String symbol) {
    return new TensorType(ElementType.FLOAT, shape(symbol));
  }

  private static Shape shape(String symbol) {
    return new Shape(List.of(Shape.Dimension.named(symbol)));
  }
}
