package io.github.loragraph.models;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.List;

/**
 * What PyTorch's exporter writes of the modules that transformers have in common, with random
 * weights; a subclass puts them together to one classifier.
 */
abstract class ModelWriter {
  static final float EPSILON = 1e-5f;

  private static final int OPSET = 17;
  private static final int IR_VERSION = 8;

  final Graph graph = new Graph();
  final GraphBuilder b = new GraphBuilder(graph, "");
  final RandomWeights random;
  private final int hidden;
  private final int heads;

  /**
   * @param hidden the width of the model
   * @param heads of attention
   * @param seed of the weights
   */
  ModelWriter(int hidden, int heads, long seed) {
    this.random = new RandomWeights(b, seed);
    this.hidden = hidden;
    this.heads = heads;
  }

  /** Puts down everything between the two inputs and the value {@code logits}. */
  abstract void modules();

  /** The whole model: token ids and their mask to the logits of so many labels. */
  final OnnxModel write(int labels) {
    Shape.Dimension batch = Shape.Dimension.named("batch");
    TensorType ids =
        new TensorType(
            ElementType.INT64, new Shape(List.of(batch, Shape.Dimension.named("sequence"))));
    graph.addInput(ValueInfo.of("input_ids", ids));
    graph.addInput(ValueInfo.of("attention_mask", ids));
    modules();
    graph.addOutput(
        ValueInfo.of(
            "logits",
            new TensorType(
                ElementType.FLOAT, new Shape(List.of(batch, Shape.Dimension.of(labels))))));
    return OnnxModel.of("main_graph", graph, IR_VERSION, OPSET);
  }

  /** Gives the last value the name of the output. */
  final void logits(String value) {
    Node last = graph.requireProducer(value);
    graph.replace(last, last.withOutput(0, "logits"));
  }

  /** The mask of padding with an axis for heads and one for queries. */
  final String maskOfKeys() {
    return b.unsqueeze(b.unsqueeze("attention_mask", 1), 2);
  }

  final String table(String path, int rows, String indices) {
    b.setScope(scope(path));
    return b.gather(random.of(path + ".weight", 0.5, 0, rows, hidden), indices, 0);
  }

  final String heads(String x, long... permutation) {
    return b.transpose(b.reshape(x, 0, 0, heads, hidden / heads), permutation);
  }

  /**
   * What the heads attend to, in the scope that is set.
   *
   * @param key transposed
   */
  final String attended(String query, String key, String value, String mask) {
    int width = hidden / heads;
    String scores = b.div(b.matMul(query, key), b.scalar(ElementType.FLOAT, Math.sqrt(width)));
    String weights = b.op("Softmax", n -> n.with("axis", -1), b.add(scores, mask));
    String context = b.transpose(b.matMul(weights, value), 0, 2, 1, 3);
    return b.reshape(context, 0, 0, hidden);
  }

  final String gelu(String path, String x) {
    b.setScope(scope(path));
    String erf = b.op("Erf", b.div(x, b.scalar(ElementType.FLOAT, Math.sqrt(2))));
    String sum = b.add(erf, b.scalar(ElementType.FLOAT, 1));
    return b.mul(b.mul(x, sum), b.scalar(ElementType.FLOAT, 0.5));
  }

  final String norm(String path, String x) {
    b.setScope(scope(path));
    return b.op(
        "LayerNormalization",
        n -> n.with("axis", -1).with("epsilon", EPSILON),
        x,
        random.of(path + ".weight", 0.2, 1, hidden),
        random.of(path + ".bias", 0.1, 0, hidden));
  }

  /** The exporter's name for a module, whose number stays with its list. */
  static String scope(String path) {
    return "/" + path.replace('.', '/').replaceAll("/(layer|h)/(\\d+)", "/$1.$2");
  }
}
