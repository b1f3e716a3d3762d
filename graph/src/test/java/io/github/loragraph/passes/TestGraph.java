package io.github.loragraph.passes;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** A small graph with random weights and inputs, written operator by operator. */
final class TestGraph extends GraphBuilder {
  private static final long SEED = 20240608;

  private final Random random = new Random(SEED);
  private final Map<String, Tensor> inputs = new LinkedHashMap<>();
  private final int opset;

  TestGraph(int opset) {
    super(new Graph(), "/test");
    this.opset = opset;
  }

  /** An input of normally distributed numbers whose dimensions are known to the graph. */
  String input(String name, long... dims) {
    return input(Runs.normal(name, random, dims), Shape.of(dims));
  }

  /** An input whose first axes have symbols in the graph: (batch, sequence, dims...). */
  String dynamicInput(String name, long... dims) {
    List<Shape.Dimension> shape =
        new ArrayList<>(Arrays.stream(dims).mapToObj(Shape.Dimension::of).toList());
    shape.set(0, Shape.Dimension.named("batch"));
    if (dims.length > 2) {
      shape.set(1, Shape.Dimension.named("sequence"));
    }
    return input(Runs.normal(name, random, dims), new Shape(shape));
  }

  String input(Tensor value, Shape shape) {
    graph().addInput(ValueInfo.of(value.name(), new TensorType(value.elementType(), shape)));
    inputs.put(value.name(), value);
    return value.name();
  }

  String weight(String name, long... dims) {
    return initializer(Runs.normal(name, random, dims));
  }

  String number(double value) {
    return initializer(Tensor.scalar(graph().freshName("number"), ElementType.FLOAT, value));
  }

  void output(String value) {
    output(value, ElementType.FLOAT);
  }

  void output(String value, ElementType type) {
    graph().addOutput(ValueInfo.of(value, new TensorType(type, null)));
  }

  OnnxModel model() {
    return OnnxModel.of("test", graph(), 7, opset);
  }

  /** What a pass makes of the graph. */
  Pass.Result apply(Pass pass, String... trainable) {
    return pass.apply(typed(), Set.of(trainable));
  }

  TypedModel typed() {
    return TypedModel.of(model(), new SessionShapeInference());
  }

  MatchContext context(String... trainable) {
    return MatchContext.of(typed(), Set.of(trainable));
  }

  /** Asserts that another form of the graph is valid and computes the same. */
  void assertSame(OnnxModel other, double tolerance) {
    Runs.assertOrdered(other.graph());
    Runs.assertSame(Runs.run(model(), inputs), Runs.run(other, inputs), tolerance, "seed " + SEED);
  }
}
