package io.github.loragraph.lora;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * DoRA's magnitude as it stands in a graph (Liu et al., "DoRA: Weight-Decomposed Low-Rank
 * Adaptation", 2024). With f = m / |W + s A B|, one number for each output feature,
 *
 * <pre>y = f * (xW + b + s (x A) B) + (b - f * b)</pre>
 *
 * so that the Linear stays whole and its bias is not scaled. The norm is computed without a matrix
 * of the size of W, since
 *
 * <pre>|w + s AB|^2 = |w|^2 + s B^T (2 W^T A + s B^T A^T A)</pre>
 *
 * by output feature, where the first term depends on frozen values alone, which ONNX Runtime
 * computes once for each session. f and the norm are there once for all sites of a Linear.
 *
 * <p>To the gradient the norm is a constant (section 4.3 of the paper): {@link
 * LoraMetadata#detachedIn}.
 */
final class Dora {
  /** The output of the Linear with its adapter, before the magnitude. */
  static final String SUM = ".lora_sum";

  private static final String OWN = ".lora_dora_";
  private static final String NORM = OWN + "norm";
  private static final String FACTOR = OWN + "factor";
  private static final String BIAS = OWN + "bias";
  private static final String OUTPUT = OWN + "output";

  /** From this operator set on ReduceSum has its axes as an input. */
  private static final int SUM_AXES_INPUT = 13;

  /** From this operator set on the other reductions have their axes as an input. */
  private static final int AXES_INPUT = 18;

  private Dora() {}

  /** The value that no gradient goes through. */
  static String normOf(String path) {
    return path + NORM;
  }

  /** m / norm. */
  static String factorOf(String path) {
    return path + FACTOR;
  }

  static boolean isBias(String path, String value) {
    return value.startsWith(path + BIAS);
  }

  /** All nodes that the norm depends on, whatever became of them. */
  static Set<Node> below(Graph graph, String path) {
    Set<Node> nodes = new LinkedHashSet<>();
    List<String> open = new ArrayList<>(List.of(path + NORM));
    while (!open.isEmpty()) {
      Node node = graph.producer(open.remove(open.size() - 1));
      if (node != null && nodes.add(node)) {
        open.addAll(node.inputs());
      }
    }
    return nodes;
  }

  /** Whether a node is one that computes a norm, or what is made of it and weights alone. */
  static boolean isOwn(Node node) {
    return node.output(0).contains(OWN);
  }

  /**
   * The first magnitudes: the norms of the weight, FLOAT (out).
   *
   * @throws LoraGraphException if one is zero, or the Linear has a form that this cannot be put
   *     behind
   */
  static Tensor initial(Linear linear, double[] norms) {
    float[] values = new float[norms.length];
    for (int o = 0; o < norms.length; o++) {
      values[o] = (float) norms[o];
      if (!(values[o] > 0) || Float.isInfinite(values[o])) {
        throw new LoraGraphException(
            "DoRA divides by the norms of the weights, and that of output feature %d of '%s' is %s: leave that layer out"
                .formatted(o, linear.path(), values[o]));
      }
    }
    return Tensor.ofFloats(Adapter.nameOfMagnitude(linear.path()), values, values.length);
  }

  /**
   * Refuses a Linear whose form has no place for it.
   *
   * @throws LoraGraphException if it multiplies its bias
   */
  static void requirePossible(Linear linear) {
    for (Linear.Site site : linear.sites()) {
      if (site.node().hasInput(2) && site.node().attribute("beta", 1f) != 1f) {
        throw new LoraGraphException(
            "'%s' multiplies its bias by %s, which DoRA cannot be put behind: leave that layer out"
                .formatted(linear.path(), site.node().attribute("beta", 1f)));
      }
    }
  }

  /** Puts the nodes of the norm before the first site of a Linear. */
  static void addNorm(Graph graph, Linear linear, LoraVariant variant, int opset) {
    String path = linear.path();
    String own = path + OWN;
    Node site = linear.sites().get(0).node();
    boolean outIn = site.is("Gemm") && site.attribute("transB", 0L) != 0;
    float alpha = site.attribute("alpha", 1f);
    String a = Adapter.nameOfA(path);
    String b = Adapter.nameOfB(path);
    String scale = Adapter.nameOfScale(path);
    List<Node> nodes = new ArrayList<>();
    if (variant.init().isAnchored()) {
      // A B - A0 B0 is a product of twice the rank.
      nodes.add(
          Node.of("", "Neg", List.of(Adapter.nameOfAnchorB(path)), List.of(own + "minus_b0")));
      nodes.add(
          Adapter.node("", "Concat", a, Adapter.nameOfAnchorA(path), own + "a_a0")
              .with("axis", 1L));
      nodes.add(Adapter.node("", "Concat", b, own + "minus_b0", own + "b_b0").with("axis", 0L));
      a = own + "a_a0";
      b = own + "b_b0";
    }
    String w = site.input(1);
    int weightRank = WeightMatrix.tensor(graph, linear).rank();
    if (weightRank > 2) {
      graph.putInitializer(
          Tensor.ofLongs(
              own + "shape",
              outIn
                  ? new long[] {linear.out(), linear.in()}
                  : new long[] {linear.in(), linear.out()},
              2));
      nodes.add(Adapter.node("", "Reshape", w, own + "shape", own + "matrix"));
      w = own + "matrix";
    }
    nodes.add(reduced(graph, "ReduceSumSquare", w, outIn ? 1 : 0, opset < AXES_INPUT, own + "w"));
    nodes.add(
        Adapter.node("", "Gemm", w, a, own + "wa")
            .with("transA", outIn ? 0L : 1L)
            .with("alpha", 2 * alpha));
    nodes.add(Adapter.node("", "Gemm", a, a, own + "aa").with("transA", 1L));
    nodes.add(Adapter.node("", "Gemm", b, own + "aa", own + "baa").with("transA", 1L));
    nodes.add(Adapter.node("", "Mul", own + "baa", scale, own + "sbaa"));
    nodes.add(Adapter.node("", "Add", own + "wa", own + "sbaa", own + "both"));
    nodes.add(Adapter.node("", "Mul", own + "both", scale, own + "change"));
    nodes.add(
        Node.of("", "Transpose", List.of(b), List.of(own + "b")).with("perm", new long[] {1, 0}));
    nodes.add(Adapter.node("", "Mul", own + "b", own + "change", own + "products"));
    nodes.add(
        reduced(graph, "ReduceSum", own + "products", 1, opset < SUM_AXES_INPUT, own + "added"));
    String weight = own + "w";
    if (alpha != 1) {
      graph.putInitializer(Tensor.scalar(own + "alpha", ElementType.FLOAT, (double) alpha * alpha));
      nodes.add(Adapter.node("", "Mul", weight, own + "alpha", own + "w_alpha"));
      weight = own + "w_alpha";
    }
    nodes.add(Adapter.node("", "Add", weight, own + "added", own + "square"));
    nodes.add(Node.of("", "Sqrt", List.of(own + "square"), List.of(path + NORM)));
    nodes.add(Adapter.node("", "Div", Adapter.nameOfMagnitude(path), path + NORM, path + FACTOR));
    String scope = "/" + path.replace('.', '/') + "/lora_magnitude_vector/";
    for (Node node : nodes) {
      String name = node.output(0).substring(path.length() + 1);
      graph.insertBefore(site, node.withName(scope + name + "/" + node.opType()));
    }
  }

  private static Node reduced(
      Graph graph, String op, String x, int axis, boolean attribute, String output) {
    Node node = Node.of("", op, List.of(x), List.of(output)).with("keepdims", 0L);
    if (attribute) {
      return node.with("axes", new long[] {axis});
    }
    String axes = output + "_axes";
    graph.putInitializer(Tensor.ofLongs(axes, new long[] {axis}, 1));
    return node.withInputs(List.of(x, axes));
  }

  /** The nodes behind one site that make y of the sum. */
  static List<Node> after(String path, String suffix, Linear.Site site, String sum) {
    String scope = "/" + path.replace('.', '/') + "/lora_magnitude_vector/";
    String bias = bias(site);
    if (bias == null) {
      return List.of(
          Adapter.node(scope + "Mul" + suffix, "Mul", sum, path + FACTOR, site.output()));
    }
    String scaled = path + OUTPUT + suffix;
    String part = path + BIAS + "_scaled" + suffix;
    String rest = path + BIAS + suffix;
    return List.of(
        Adapter.node(scope + "Mul" + suffix, "Mul", sum, path + FACTOR, scaled),
        Adapter.node(scope + "bias/Mul" + suffix, "Mul", path + FACTOR, bias, part),
        Adapter.node(scope + "bias/Sub" + suffix, "Sub", bias, part, rest),
        Adapter.node(scope + "bias/Add" + suffix, "Add", scaled, rest, site.output()));
  }

  private static @Nullable String bias(Linear.Site site) {
    Node add = site.add();
    if (add != null) {
      return add.input(add.input(0).equals(site.node().output(0)) ? 1 : 0);
    }
    return site.node().hasInput(2) ? site.node().input(2) : null;
  }

  /** The nodes from the sum on, without what is there once for all sites. */
  static List<Node> nodesAfter(Graph graph, Node joint) {
    List<Node> nodes = new ArrayList<>();
    Node scaled = graph.consumers(joint.output(0)).get(0);
    nodes.add(scaled);
    Node end = last(graph, joint);
    if (end != scaled) {
      nodes.add(end);
      Node rest = graph.requireProducer(end.input(1));
      nodes.add(rest);
      nodes.add(graph.requireProducer(rest.input(1)));
    }
    return nodes;
  }

  /** The node that makes the output of the Linear. */
  static Node last(Graph graph, Node joint) {
    Node scaled = graph.consumers(joint.output(0)).get(0);
    return scaled.output(0).contains(OWN) ? graph.consumers(scaled.output(0)).get(0) : scaled;
  }

  /** Refuses what stands behind the joint where it is not as {@link #after} made it. */
  static void requireAsMade(Graph graph, String path, Node joint) {
    List<Node> readers = graph.consumers(joint.output(0));
    Adapter.requireAsMade(
        joint.output(0).startsWith(path + SUM)
            && readers.size() == 1
            && readers.get(0).is("Mul")
            && readers.get(0).input(1).equals(path + FACTOR),
        path);
    String scaled = readers.get(0).output(0);
    if (!scaled.startsWith(path + OWN)) {
      return;
    }
    List<Node> ends = graph.consumers(scaled);
    Adapter.requireAsMade(
        ends.size() == 1 && ends.get(0).is("Add") && ends.get(0).input(1).startsWith(path + BIAS),
        path);
    Node rest = graph.producer(ends.get(0).input(1));
    Adapter.requireAsMade(rest != null && rest.is("Sub"), path);
    Node part = rest == null ? null : graph.producer(rest.input(1));
    Adapter.requireAsMade(part != null && part.is("Mul"), path);
  }

  /**
   * The nodes that compute f, which are there once for all sites.
   *
   * @throws LoraGraphException if f is not made as {@link #addNorm} makes it
   */
  static Set<Node> normNodes(Graph graph, String path) {
    Set<Node> nodes = new LinkedHashSet<>();
    List<String> open = new ArrayList<>(List.of(path + FACTOR));
    Set<String> operators = new HashSet<>();
    while (!open.isEmpty()) {
      Node node = graph.producer(open.remove(open.size() - 1));
      if (node != null && node.output(0).startsWith(path + OWN) && nodes.add(node)) {
        operators.add(node.opType());
        open.addAll(node.inputs());
      }
    }
    Node factor = graph.producer(path + FACTOR);
    Node norm = graph.producer(path + NORM);
    Adapter.requireAsMade(
        factor != null
            && factor.is("Div")
            && factor.inputs().equals(List.of(Adapter.nameOfMagnitude(path), path + NORM))
            && norm != null
            && norm.is("Sqrt")
            && operators.containsAll(Set.of("ReduceSumSquare", "Gemm", "ReduceSum")),
        path);
    return nodes;
  }

  /** Takes out what is there once for all sites. */
  static void removeFrom(Graph graph, String path) {
    graph.removeAll(normNodes(graph, path));
    List.copyOf(graph.initializers().keySet()).stream()
        .filter(name -> name.startsWith(path + OWN))
        .forEach(graph::removeInitializer);
  }
}
