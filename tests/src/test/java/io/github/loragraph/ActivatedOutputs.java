package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BiFunction;

/**
 * Holds that a model that ends in Softmax or Sigmoid is trained, measured and asked like the same
 * model without that end, to the last digit.
 */
final class ActivatedOutputs {
  /** The value that goes into the end of the report's model. */
  private static final String LOGITS = "Add_154";

  private static final int CLASSES = 3;

  private ActivatedOutputs() {}

  /** What stands behind the logits: from their name to the output's. */
  enum End {
    SOFTMAX((b, x) -> b.op("Softmax", n -> n.with("axis", -1), x)),
    SOFTMAX_BY_DEFAULT((b, x) -> b.op("Softmax", x)),
    SOFTMAX_AXIS_1((b, x) -> b.op("Softmax", n -> n.with("axis", 1), x)),
    LOG_SOFTMAX((b, x) -> b.op("LogSoftmax", n -> n.with("axis", -1), x)),
    LOG_OF_SOFTMAX((b, x) -> b.op("Log", b.op("Softmax", x))),
    IDENTITY((b, x) -> b.op("Identity", b.op("Softmax", x))),
    CAST((b, x) -> b.cast(b.cast(b.op("Softmax", x), ElementType.DOUBLE), ElementType.FLOAT)),
    RESHAPE((b, x) -> b.reshape(b.op("Softmax", x), -1, CLASSES)),
    UNSQUEEZED_AND_BACK((b, x) -> b.squeeze(b.unsqueeze(b.op("Softmax", x), 0), 0)),
    SIGMOID((b, x) -> b.op("Sigmoid", x));

    private final BiFunction<GraphBuilder, String, String> nodes;

    End(BiFunction<GraphBuilder, String, String> nodes) {
      this.nodes = nodes;
    }
  }

  /** The report's model with another end; null for none. */
  static OnnxModel model(End end) {
    OnnxModel model = ReportGraph.model("47-softmax-output");
    Graph graph = model.graph().copy();
    graph.remove(graph.producer("probabilities"));
    graph.clearOutputs();
    GraphBuilder b = new GraphBuilder(graph, "/end");
    // A temperature is part of the logits.
    String scaled = b.div(LOGITS, b.scalar(ElementType.FLOAT, 0.7));
    String last = end == null ? scaled : end.nodes.apply(b, scaled);
    graph.add(Node.of("/end/Output", "Identity", List.of(last), List.of("answer")));
    graph.addOutput(ValueInfo.of("answer", TensorType.of(ElementType.FLOAT, -1, CLASSES)));
    return model.withGraph(graph);
  }

  /** One number for a row: the logit of the second of two classes, or a number to predict. */
  static OnnxModel oneNumber(boolean sigmoid, boolean squeezed) {
    OnnxModel model = ReportGraph.model("47-softmax-output");
    Graph graph = model.graph().copy();
    graph.remove(graph.producer("probabilities"));
    graph.clearOutputs();
    GraphBuilder b = new GraphBuilder(graph, "/end");
    String column =
        b.matMul(
            LOGITS,
            b.initializer(
                Tensor.ofFloats("classifier.out.weight", new float[] {1, -2, 0.5f}, 3, 1)));
    String last = sigmoid ? b.op("Sigmoid", column) : column;
    last = squeezed ? b.squeeze(last, 1) : last;
    graph.add(Node.of("/end/Output", "Identity", List.of(last), List.of("answer")));
    graph.addOutput(
        ValueInfo.of(
            "answer",
            squeezed
                ? TensorType.of(ElementType.FLOAT, -1)
                : TensorType.of(ElementType.FLOAT, -1, 1)));
    return model.withGraph(graph);
  }

  /**
   * Trains, measures and asks both, and holds them to each other.
   *
   * @param task null for what the model tells by itself
   */
  static void assertSame(
      Path folder, OnnxModel activated, OnnxModel plain, String task, Path data, String engine) {
    Path first = folder.resolve("activated");
    Path second = folder.resolve("plain");
    JsonNode a = trained(first, activated, null, data, engine);
    JsonNode b = trained(second, plain, task, data, engine);
    assertEquals(b.get("finalTrainLoss"), a.get("finalTrainLoss"));
    assertEquals(b.get("evalLoss"), a.get("evalLoss"));
    OnnxModel x = Runs.model(first.resolve("run"));
    OnnxModel y = Runs.model(second.resolve("run"));
    for (String name : y.graph().initializers().keySet()) {
      if (x.graph().initializer(name) != null || !name.startsWith("/end")) {
        assertArrayEquals(
            bytes(y.graph().initializer(name)), bytes(x.graph().initializer(name)), name);
      }
    }
    assertEquals("[answer]", names(x));
    JsonNode merged =
        Cli.json("merge", first.resolve("run"), "-o", first.resolve("merged/model.onnx"));
    assertTrue(merged.get("maxOutputDifference").asDouble() < 1e-5);
    OnnxModel last = OnnxFile.read(first.resolve("merged/model.onnx"));
    assertEquals(
        activated.graph().producer("answer").opType(), last.graph().producer("answer").opType());
    assertEquals(
        activated.graph().nodes().size(), last.graph().nodes().size(), "as before the injection");
    JsonNode measured = Cli.json("eval", first.resolve("run"), "--data", data);
    assertEquals(a.get("evalLoss").asDouble(), measured.get("loss").asDouble(), 1e-5);
    assertEquals(
        Cli.json("eval", second.resolve("run"), "--data", data).get("loss"), measured.get("loss"));
  }

  private static JsonNode trained(
      Path folder, OnnxModel model, String task, Path data, String engine) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    Path file = folder.resolve("model.onnx");
    OnnxFile.write(model, file, false);
    Cli.json("inject", file, "--match", "query|value", "--rank", 2);
    Object[] arguments = {
      "train",
      folder.resolve("model.lora.onnx"),
      "--data",
      data,
      "--eval",
      data,
      "--steps",
      3,
      "--batch-size",
      4,
      "--lr",
      "1e-2",
      "--engine",
      engine,
      "-o",
      folder.resolve("run")
    };
    if (task == null) {
      return Cli.json(arguments);
    }
    Object[] withTask = new Object[arguments.length + 2];
    System.arraycopy(arguments, 0, withTask, 0, arguments.length);
    withTask[arguments.length] = "--task";
    withTask[arguments.length + 1] = task;
    return Cli.json(withTask);
  }

  private static String names(OnnxModel model) {
    return model.graph().outputs().stream().map(ValueInfo::name).toList().toString();
  }

  private static byte[] bytes(Tensor tensor) {
    byte[] copy = new byte[tensor.bytes().remaining()];
    tensor.bytes().get(copy);
    return copy;
  }
}
