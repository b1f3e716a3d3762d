package io.github.loragraph.models;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.training.Logits;
import java.util.List;
import java.util.Random;

/**
 * Puts a classification head on an encoder without one: pooling over the tokens, a dense layer with
 * tanh, and the projection to the logits, as RoBERTa's head has them. Its parameters are {@code
 * classifier.dense.*} and {@code classifier.out_proj.*}, (out, in) as PyTorch keeps them; weights
 * are N(0, 0.02) by {@link Random#nextGaussian}, biases zero.
 */
public final class ClassificationHead {
  private static final double DEVIATION = 0.02;
  private static final String MASK = "attention_mask";
  private static final String LOGITS = "logits";
  private static final int AXES_ARE_INPUT_SINCE = 13;

  private final Graph graph;
  private final int opset;

  private ClassificationHead(Graph graph, int opset) {
    this.graph = graph;
    this.opset = opset;
  }

  /** How the tokens of an example become one vector. */
  public enum Pooling {
    /** The mean over the tokens that the attention mask counts. */
    MEAN,
    /** The first token. */
    FIRST
  }

  /**
   * The model with a head; {@code logits}, FLOAT (batch, classes), is its only output. The given
   * model is left as it is.
   *
   * @param classes the number of logits, 1 for a regression
   * @param pooling of token states; where the model answers with pooled ones only, they are taken
   * @param inference asked only where the model does not declare the shapes of its outputs
   * @throws LoraGraphException if the model has no output of states, (batch, sequence, hidden) or
   *     (batch, hidden), has several, or has logits already
   */
  public static OnnxModel add(
      OnnxModel encoder, int classes, Pooling pooling, long seed, ShapeInference inference) {
    return encoder.namingFile(() -> added(encoder, classes, pooling, seed, inference));
  }

  private static OnnxModel added(
      OnnxModel encoder, int classes, Pooling pooling, long seed, ShapeInference inference) {
    if (classes < 1) {
      throw new LoraGraphException(
          "a head for " + classes + " classes is not possible: give labels");
    }
    Graph graph = encoder.graph().copy();
    ValueInfo states = Logits.states(encoder, inference);
    Shape shape = shape(states);
    ClassificationHead head = new ClassificationHead(graph, encoder.opset());
    int hidden = Math.toIntExact(shape.dimension(-1).size());
    String pooled =
        shape.rank() == 2
            ? states.name()
            : pooling == Pooling.MEAN ? head.mean(states.name()) : head.first(states.name());
    Random random = new Random(seed);
    String dense = head.linear("dense", pooled, hidden, hidden, random);
    String activated = head.node("/classifier/Tanh", "Tanh", dense);
    String projected = head.linear("out_proj", activated, hidden, classes, random);
    Node last = graph.requireProducer(projected);
    graph.replace(last, last.withOutput(0, LOGITS));

    Shape.Dimension batch = shape.dimension(0);
    graph.clearOutputs();
    graph.addOutput(
        ValueInfo.of(
            LOGITS,
            new TensorType(
                ElementType.FLOAT, new Shape(List.of(batch, Shape.Dimension.of(classes))))));
    graph.removeDeadNodes();
    return encoder.withGraph(graph).withMetadata(Logits.CHOSEN, null);
  }

  /**
   * The model with a head that answers each token, as Hugging Face's models for token
   * classification have it: {@code classifier.weight} (out, in) and {@code classifier.bias}. {@code
   * logits}, FLOAT (batch, sequence, classes), is the only output.
   *
   * @param inference asked only where the model does not declare the shapes of its outputs
   * @throws LoraGraphException as {@link #add} does, or if the states are pooled
   */
  public static OnnxModel addToTokens(
      OnnxModel encoder, int classes, long seed, ShapeInference inference) {
    return encoder.namingFile(() -> addedToTokens(encoder, classes, seed, inference));
  }

  private static OnnxModel addedToTokens(
      OnnxModel encoder, int classes, long seed, ShapeInference inference) {
    Graph graph = encoder.graph().copy();
    ValueInfo tokens = Logits.states(encoder, inference);
    Shape shape = shape(tokens);
    if (shape.rank() != 3) {
      throw new LoraGraphException(
          "the model answers with pooled states only, '%s' %s: a head for each token needs (batch, sequence, hidden)"
              .formatted(tokens.name(), shape));
    }
    ClassificationHead head = new ClassificationHead(graph, encoder.opset());
    int hidden = Math.toIntExact(shape.dimension(2).size());
    head.parameters("classifier", hidden, classes, new Random(seed));
    String transposed = "/classifier/Transpose_output_0";
    graph.add(
        Node.of(
                "/classifier/Transpose",
                "Transpose",
                List.of("classifier.weight"),
                List.of(transposed))
            .with("perm", new long[] {1, 0}));
    String product = head.node("/classifier/MatMul", "MatMul", tokens.name(), transposed);
    graph.add(
        Node.of("/classifier/Add", "Add", List.of("classifier.bias", product), List.of(LOGITS)));
    graph.clearOutputs();
    graph.addOutput(
        ValueInfo.of(
            LOGITS,
            new TensorType(
                ElementType.FLOAT,
                new Shape(
                    List.of(
                        shape.dimension(0), shape.dimension(1), Shape.Dimension.of(classes))))));
    graph.removeDeadNodes();
    return encoder.withGraph(graph).withMetadata(Logits.CHOSEN, null);
  }

  /** Of states, which are found by it. */
  private static Shape shape(ValueInfo states) {
    return states.requireType().requireShape();
  }

  /** The masked sum over the count; a row that is all padding has the count 1, so gives zero. */
  private String mean(String tokens) {
    if (!graph.isInput(MASK)) {
      throw new LoraGraphException(
          "the model has no input '%s', which the mean over its tokens needs: pool the first token"
              .formatted(MASK));
    }
    String mask = "/pooling/Cast_output_0";
    graph.add(
        Node.of("/pooling/Cast", "Cast", List.of(MASK), List.of(mask))
            .with("to", ElementType.FLOAT.code()));
    String counts = withAxis("/pooling/ReduceSum", "ReduceSum", mask, 1);
    String column = withAxis("/pooling/Unsqueeze", "Unsqueeze", mask, 2);
    String masked = node("/pooling/Mul", "Mul", tokens, column);
    String sum = withAxis("/pooling/ReduceSum_1", "ReduceSum", masked, 1, 0);
    String one = constant("pooling.one", Tensor.scalar("pooling.one", ElementType.FLOAT, 1));
    return node("/pooling/Div", "Div", sum, node("/pooling/Max", "Max", counts, one));
  }

  private String first(String tokens) {
    String index = constant("pooling.first", Tensor.scalar("pooling.first", ElementType.INT64, 0));
    String output = "/pooling/Gather_output_0";
    graph.add(
        Node.of("/pooling/Gather", "Gather", List.of(tokens, index), List.of(output))
            .with("axis", 1));
    return output;
  }

  private String linear(String name, String x, int in, int out, Random random) {
    String path = "classifier." + name;
    parameters(path, in, out, random);
    String scope = "/classifier/" + name + "/Gemm";
    String output = scope + "_output_0";
    graph.add(
        Node.of(scope, "Gemm", List.of(x, path + ".weight", path + ".bias"), List.of(output))
            .with("transB", 1));
    return output;
  }

  private void parameters(String path, int in, int out, Random random) {
    float[] weight = new float[Math.multiplyExact(in, out)];
    for (int i = 0; i < weight.length; i++) {
      weight[i] = (float) (random.nextGaussian() * DEVIATION);
    }
    graph.putInitializer(Tensor.ofFloats(path + ".weight", weight, out, in));
    graph.putInitializer(Tensor.ofFloats(path + ".bias", new float[out], out));
  }

  private String constant(String name, Tensor tensor) {
    String fresh = graph.freshName(name);
    graph.putInitializer(tensor.withName(fresh));
    return fresh;
  }

  private String node(String name, String op, String... inputs) {
    String output = name + "_output_0";
    graph.add(Node.of(name, op, List.of(inputs), List.of(output)));
    return output;
  }

  private String withAxis(String name, String op, String x, long axis) {
    return withAxis(name, op, x, axis, 1);
  }

  /** The axis is an attribute or an input, by the model's operator set. */
  private String withAxis(String name, String op, String x, long axis, long keepDims) {
    String output = name + "_output_0";
    Node node = Node.of(name, op, List.of(x), List.of(output));
    if (opset < AXES_ARE_INPUT_SINCE) {
      node = node.with("axes", new long[] {axis});
    } else {
      String axes = constant("pooling.axes", Tensor.ofLongs("pooling.axes", new long[] {axis}, 1));
      node = node.withInputs(List.of(x, axes));
    }
    graph.add(op.equals("ReduceSum") ? node.with("keepdims", keepDims) : node);
    return output;
  }
}
