package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.passes.Pass;
import io.github.loragraph.shape.ValueTypes;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Computes the matrix products of a graph in a type of 16 bits and everything else in FLOAT
 * (Micikevicius et al., "Mixed Precision Training", 2018; {@code torch.autocast} draws the line at
 * the same place). A pass over the finished graph, forward and backward alike.
 *
 * <p>The factors of a FLOAT {@code Gemm} or {@code MatMul} are cast, and what it makes is cast
 * back, except on a way from product to product on which entries are only moved: there they stay in
 * 16 bits. No value is cast more than once, and none there and back. A frozen weight is stored in
 * 16 bits if products alone read it, else in both types.
 */
final class MixedPrecision {
  private static final int SUM = 2;

  private final Graph source;
  private final ValueTypes types;
  private final ElementType half;
  private final Graph target;

  /** What stays in FLOAT: the norms of DoRA, which adapters of a few 1e-3 would not move. */
  private final Set<Node> exact;

  /** Values that come out of products, moved or not: they are there in 16 bits first. */
  private final Set<String> madeHalf = new HashSet<>();

  /** Values that something reads in FLOAT. */
  private final Set<String> wantedFloat = new HashSet<>();

  /** Values that something reads in 16 bits. */
  private final Set<String> wantedHalf = new HashSet<>();

  /** The names of values in 16 bits; in FLOAT they keep their own. */
  private final Map<String, String> halves = new HashMap<>();

  private MixedPrecision(
      Graph source, ValueTypes types, Set<String> exactValues, ElementType half) {
    this.source = source;
    this.exact = below(source, exactValues);
    this.types = types;
    this.half = half;
    this.target = source.withoutNodes();
  }

  /**
   * The pass. Inputs and outputs stay what they were.
   *
   * @param kept values that must be there in FLOAT, besides the outputs
   * @throws LoraGraphException (the pass) if there is no FLOAT product, or a weight is too large
   *     for the type
   */
  static Pass in(Precision precision, Collection<String> kept) {
    return (model, trainable) -> {
      Graph source = model.graph();
      MixedPrecision pass =
          new MixedPrecision(
              source,
              model.types(),
              LoraMetadata.detachedIn(model.model()),
              precision.elementType());
      if (source.nodes().stream().noneMatch(pass::isProduct)) {
        throw new LoraGraphException(
            "precision %s changes nothing: the model has no matrix product of FLOAT values"
                .formatted(precision));
      }
      pass.wantedFloat.addAll(kept);
      source.outputs().forEach(output -> pass.wantedFloat.add(output.name()));
      return Pass.Result.of(model.with(model.model().withGraph(pass.run())));
    };
  }

  private Graph run() {
    for (Node node : source.nodes()) {
      if (isMadeHalf(node)) {
        madeHalf.addAll(node.outputs());
      }
    }
    for (int i = source.nodes().size() - 1; i >= 0; i--) {
      want(source.nodes().get(i));
    }
    for (Tensor tensor : source.initializers().values()) {
      if (wantedHalf.contains(tensor.name())) {
        halves.put(tensor.name(), store(tensor));
      }
    }
    for (ValueInfo input : source.inputs()) {
      if (source.initializer(input.name()) == null) {
        castWhereWanted(input.name());
      }
    }
    source.nodes().forEach(this::put);
    forgetWhatIsGone();
    return target;
  }

  private boolean isProduct(Node node) {
    return isStandard(node, Trait.LOWER_PRECISION)
        && isFloat(node.output(0))
        && !exact.contains(node);
  }

  /** The nodes that values are computed by. */
  private static Set<Node> below(Graph graph, Set<String> values) {
    Set<Node> nodes = new HashSet<>();
    List<String> open = new ArrayList<>(values);
    while (!open.isEmpty()) {
      Node node = graph.producer(open.remove(open.size() - 1));
      if (node != null && nodes.add(node)) {
        open.addAll(node.inputs());
      }
    }
    return nodes;
  }

  private static boolean isStandard(Node node, Trait trait) {
    return node.domain().isEmpty() && Operators.all().has(node, trait);
  }

  /** Whether entries of the first input, or of all inputs that are joined, are only moved. */
  private boolean isMover(Node node) {
    boolean moves = isStandard(node, Trait.MOVES_DATA) || isStandard(node, Trait.JOINS_DATA);
    return moves && isFloat(node.output(0));
  }

  private boolean isFloat(String value) {
    TensorType type = types.get(value);
    return type != null && type.elementType() == ElementType.FLOAT;
  }

  private static List<String> moved(Node mover) {
    return isStandard(mover, Trait.JOINS_DATA) ? mover.inputs() : mover.inputs().subList(0, 1);
  }

  private boolean isMadeHalf(Node node) {
    return isProduct(node)
        ? !addsInFloat(node)
        : isMover(node) && madeHalf.containsAll(moved(node));
  }

  /**
   * Whether a {@code Gemm} adds something that would lose digits in 16 bits: a residual, say. A
   * bias, and another product, may be added inside of it.
   */
  private boolean addsInFloat(Node product) {
    if (!product.is("Gemm") || !product.hasInput(SUM)) {
      return false;
    }
    String sum = product.input(SUM);
    TensorType type = types.get(sum);
    boolean bias = type != null && type.shape() != null && type.shape().rank() <= 1;
    return !bias && !madeHalf.contains(sum);
  }

  /** Notes what a node reads in which type; all that reads its outputs has been asked before. */
  private void want(Node node) {
    if (isProduct(node) && addsInFloat(node)) {
      wantedHalf.addAll(node.inputs().subList(0, SUM));
      wantedFloat.add(node.input(SUM));
    } else if (isProduct(node)) {
      wantedHalf.addAll(node.inputs());
    } else if (isMover(node) && movesHalf(node)) {
      wantedHalf.addAll(moved(node));
    } else if (!asksForShape(node)) {
      wantedFloat.addAll(node.reads());
    }
  }

  /** A shape is the same in both types. */
  private static boolean asksForShape(Node node) {
    return Operators.all().has(node, Trait.READS_SHAPE);
  }

  private boolean movesHalf(Node mover) {
    return madeHalf.containsAll(mover.outputs())
        || (mover.outputs().stream().noneMatch(wantedFloat::contains)
            && mover.outputs().stream().anyMatch(wantedHalf::contains));
  }

  private void put(Node node) {
    if (isProduct(node)) {
      putProduct(node);
    } else if (isMover(node) && movesHalf(node)) {
      List<String> moved = moved(node);
      List<String> inputs = new ArrayList<>(node.inputs());
      inputs.replaceAll(input -> moved.contains(input) ? halves.get(input) : input);
      putHalf(node.withInputs(inputs));
    } else if (asksForShape(node)) {
      String input = node.input(0);
      target.add(isThereInFloat(input) ? node : node.withInput(0, half(input)));
    } else {
      target.add(node);
      node.outputs().forEach(this::castWhereWanted);
    }
  }

  private void putProduct(Node product) {
    List<String> inputs = new ArrayList<>(product.inputs());
    if (!addsInFloat(product)) {
      inputs.replaceAll(input -> input.isEmpty() ? "" : halves.get(input));
      putHalf(product.withInputs(inputs));
      return;
    }
    String value = product.output(0);
    String sum = inputs.remove(SUM);
    inputs.replaceAll(halves::get);
    String inHalf = halfName(value);
    String inFloat = target.freshName(value + "_product");
    target.add(product.without("beta").withInputs(inputs).withOutputs(List.of(inHalf)));
    cast(inHalf, inFloat, ElementType.FLOAT);
    float beta = product.attribute("beta", 1f);
    if (beta != 1) {
      Tensor factor = Tensor.scalar(target.freshName(value + "_beta"), ElementType.FLOAT, beta);
      target.putInitializer(factor);
      sum = add("Mul", List.of(sum, factor.name()), target.freshName(value + "_sum"));
    }
    add("Add", List.of(inFloat, sum), value);
    castWhereWanted(value);
  }

  /**
   * Puts down a node that makes its outputs in 16 bits, and casts those that FLOAT is wanted of.
   */
  private void putHalf(Node node) {
    List<String> outputs = new ArrayList<>();
    for (String output : node.outputs()) {
      if (!output.isEmpty()) {
        halves.put(output, halfName(output));
      }
      outputs.add(output.isEmpty() ? "" : halves.get(output));
    }
    target.add(node.withOutputs(outputs));
    for (String output : node.outputs()) {
      if (wantedFloat.contains(output)) {
        cast(half(output), output, ElementType.FLOAT);
      }
    }
  }

  /** The name of a value that is there in 16 bits. */
  private String half(String value) {
    return Objects.requireNonNull(halves.get(value), value);
  }

  /** Casts a FLOAT value that is there. */
  private void castWhereWanted(String value) {
    if (wantedHalf.contains(value)) {
      halves.put(value, halfName(value));
      cast(value, half(value), half);
    }
  }

  private void cast(String from, String to, ElementType type) {
    target.add(
        Node.of(target.freshName(to + "/Cast"), "Cast", List.of(from), List.of(to))
            .with("to", type.code()));
  }

  private String add(String opType, List<String> inputs, String output) {
    target.add(Node.of(target.freshName(output + "/" + opType), opType, inputs, List.of(output)));
    return output;
  }

  private String halfName(String value) {
    return target.freshName(value + "_half");
  }

  /** Whether a value is in the new graph under its own name. */
  private boolean isThereInFloat(String value) {
    return target.producer(value) != null
        || target.isInput(value)
        || target.initializer(value) != null;
  }

  /** Stores a weight in 16 bits, in the place of FLOAT where nothing reads that. */
  private String store(Tensor weight) {
    Tensor stored = weight.toHalf(halfName(weight.name()), half);
    refuseOverflow(weight);
    target.putInitializer(stored);
    if (!wantedFloat.contains(weight.name())) {
      target.removeInitializer(weight.name());
    }
    return stored.name();
  }

  private void refuseOverflow(Tensor weight) {
    FloatBuffer values = weight.bytes().asFloatBuffer();
    float largest = 0;
    while (values.hasRemaining()) {
      float magnitude = Math.abs(values.get());
      largest = magnitude <= Float.MAX_VALUE ? Math.max(largest, magnitude) : largest;
    }
    Tensor limit = Tensor.ofFloats("largest", new float[] {largest}).toHalf("largest", half);
    if (Double.isInfinite(limit.toDoubles()[0])) {
      throw new LoraGraphException(
          "'%s' has entries up to %.3g, too large for %s".formatted(weight.name(), largest, half),
          Remedy.CHOOSE_PRECISION.with(
              half == ElementType.FLOAT16 ? Precision.BF16 : Precision.FP32));
    }
  }

  private void forgetWhatIsGone() {
    for (ValueInfo value : List.copyOf(target.valueInfo())) {
      if (!isThereInFloat(value.name())) {
        target.removeValueInfo(value.name());
      }
    }
  }
}
