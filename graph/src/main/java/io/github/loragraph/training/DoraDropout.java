package io.github.loragraph.training;

import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What dropout changes behind lora_B where there is a magnitude. What was f * (base + delta) + (b -
 * f b), with base = xW + b, becomes f * (p + delta) + (base - p), with p = x'W.
 */
final class DoraDropout {
  private final Graph graph;
  private final LoraMetadata.Target target;
  private final String x;
  private final String kept;
  private final float scale;
  private final GraphBuilder b;
  private @Nullable String dropped;

  /**
   * @param x what enters the adapter
   * @param kept the same with zeros where it is dropped
   * @param scale what the rest is multiplied by
   */
  DoraDropout(Graph graph, LoraMetadata.Target target, String x, String kept, float scale) {
    this.graph = graph;
    this.target = target;
    this.x = x;
    this.kept = kept;
    this.scale = scale;
    this.b = new GraphBuilder(graph, "/lora_dropout/" + target.path() + "/magnitude");
  }

  /**
   * @param entry the product of x' and lora_A
   */
  void behind(Node entry) {
    Node sum = entry;
    Node reader = reader(entry);
    while (!(reader.is("Mul") && reader.inputs().contains(target.factor()))) {
      sum = reader;
      reader = reader(reader);
    }
    Node magnified = reader;
    int place = baseOf(sum);
    String base = sum.input(place);

    int before = graph.nodes().size();
    String product = product(base);
    Node direction = sum.withInput(place, product);
    graph.replace(sum, direction);
    LoraDropout.moveBefore(graph, direction, before);

    before = graph.nodes().size();
    String rest = b.sub(base, product);
    String y = magnified.output(0);
    List<Node> readers = graph.consumers(y);
    Node end = readers.size() == 1 && readers.get(0).is("Add") ? readers.get(0) : null;
    int other = end != null && end.input(0).equals(y) ? 1 : 0;
    if (end != null && target.isBiasOfMagnitude(end.input(other))) {
      Node without = end.withInput(other, rest);
      graph.replace(end, without);
      LoraDropout.moveBefore(graph, without, before);
    } else {
      require(graph.nodes().stream().noneMatch(n -> target.isBiasOfMagnitude(n.output(0))));
      LoraDropout.moveBefore(graph, magnified, before);
      Node renamed = magnified.withOutput(0, graph.freshName(y + "_magnified"));
      graph.replace(magnified, renamed);
      graph.insertAfter(
          renamed,
          Node.of(
              graph.freshName(renamed.name() + "_Add"),
              "Add",
              List.of(renamed.output(0), rest),
              List.of(y)));
    }
  }

  private Node reader(Node node) {
    List<Node> readers = graph.consumers(node.output(0));
    require(readers.size() == 1);
    return readers.get(0);
  }

  /** Which input of the joint is the Linear's output. */
  private int baseOf(Node sum) {
    if (sum.is("Gemm") && sum.hasInput(2)) {
      return 2;
    }
    require(sum.is("Add"));
    return isOfAdapter(sum.input(0)) ? 1 : 0;
  }

  private boolean isOfAdapter(String value) {
    Node producer = graph.producer(value);
    return producer != null
        && producer.inputs().size() > 1
        && producer.input(1).equals(target.parameterB());
  }

  /** What a value is with x' for x and without its bias. */
  private String product(String value) {
    if (value.equals(x)) {
      return dropped();
    }
    Node node = graph.requireProducer(value);
    if (node.is("Gemm") || node.is("MatMul")) {
      String sum = node.hasInput(2) && !isConstant(node.input(2)) ? product(node.input(2)) : "";
      Node without = node.is("Gemm") && sum.isEmpty() ? node.without("beta") : node;
      String left = product(node.input(0));
      return b.op(
          node.opType(),
          copy ->
              without.withName(copy.name()).withInputs(copy.inputs()).withOutputs(copy.outputs()),
          left,
          node.input(1),
          sum);
    }
    if (node.is("Add") && isConstant(node.input(1))) {
      return product(node.input(0));
    }
    if (node.is("Add") && isConstant(node.input(0))) {
      return product(node.input(1));
    }
    if (node.is("Mul") && isConstant(node.input(1))) {
      return b.mul(product(node.input(0)), node.input(1));
    }
    require(node.is("Sub"));
    return b.sub(product(node.input(0)), product(node.input(1)));
  }

  private String dropped() {
    if (dropped == null) {
      dropped = b.mul(kept, b.scalar(ElementType.FLOAT, scale));
    }
    return Objects.requireNonNull(dropped);
  }

  private boolean isConstant(String value) {
    return graph.constant(value) != null;
  }

  private void require(boolean asExpected) {
    if (!asExpected) {
      throw new IllegalStateException("DoRA of '%s' has another form".formatted(target.path()));
    }
  }
}
