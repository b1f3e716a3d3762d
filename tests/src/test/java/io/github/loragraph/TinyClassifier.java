package io.github.loragraph;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * A classifier of a few hundred numbers, so that hundreds of trainings take seconds: the mean of
 * embeddings over the mask, a Linear with tanh, LayerNormalization and a Linear of {@value
 * #CLASSES} classes.
 */
final class TinyClassifier {
  static final int VOCABULARY = 19;
  static final int CLASSES = 3;
  private static final int HIDDEN = 6;

  /** All its parameters. */
  static final Set<String> PARAMETERS =
      Set.of(
          "embeddings.weight",
          "dense.weight",
          "dense.bias",
          "norm.weight",
          "norm.bias",
          "classifier.weight",
          "classifier.bias");

  private TinyClassifier() {}

  static OnnxModel model() {
    Random random = new Random(1);
    Graph graph = new Graph();
    graph.addInput(declared("input_ids"));
    graph.addInput(declared("attention_mask"));
    GraphBuilder b = new GraphBuilder(graph, "/model");
    put(graph, "embeddings.weight", random, VOCABULARY, HIDDEN);
    put(graph, "dense.weight", random, HIDDEN, HIDDEN);
    put(graph, "dense.bias", random, HIDDEN);
    put(graph, "norm.weight", random, HIDDEN);
    put(graph, "norm.bias", random, HIDDEN);
    put(graph, "classifier.weight", random, HIDDEN, CLASSES);
    put(graph, "classifier.bias", random, CLASSES);
    String mask = b.unsqueeze(b.cast("attention_mask", ElementType.FLOAT), 2);
    String words = b.mul(b.gather("embeddings.weight", "input_ids", 0), mask);
    String mean = b.div(b.reduceSum(words, false, 1), b.reduceSum(mask, false, 1));
    String hidden = b.op("Tanh", b.add(b.matMul(mean, "dense.weight"), "dense.bias"));
    String normal = b.op("LayerNormalization", hidden, "norm.weight", "norm.bias");
    String logits = b.add(b.matMul(normal, "classifier.weight"), "classifier.bias");
    graph.add(Node.of("/model/logits", "Identity", List.of(logits), List.of("logits")));
    graph.addOutput(
        ValueInfo.of(
            "logits",
            new TensorType(
                ElementType.FLOAT,
                new Shape(List.of(Shape.Dimension.named("batch"), Shape.Dimension.of(CLASSES))))));
    return OnnxModel.of("tiny", graph, 9, GraphBuilder.OPSET);
  }

  private static ValueInfo declared(String name) {
    return ValueInfo.of(
        name,
        new TensorType(
            ElementType.INT64,
            new Shape(List.of(Shape.Dimension.named("batch"), Shape.Dimension.named("sequence")))));
  }

  private static void put(Graph graph, String name, Random random, long... dims) {
    int count = 1;
    for (long dim : dims) {
      count *= (int) dim;
    }
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian() * 0.5f;
    }
    graph.putInitializer(Tensor.ofFloats(name, values, dims));
  }
}
